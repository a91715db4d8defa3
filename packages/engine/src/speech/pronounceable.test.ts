import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pronounceable, sourceOf } from './pronounceable.ts';
import { wordsIn } from './word-times.ts';

const locale = fc.constantFrom('en', 'zh');

/** What lessons are made of, and what breaks readers of it. */
const fragment = fc.oneof(
  fc.constantFrom(
    ...[
      '**bold**',
      '*it*',
      '`code_x`',
      '$x^2$',
      '\\(\\frac{a}{b}\\)',
      '\\sqrt[3]{x',
      'https://a.example.org/b_c?d=1#e',
      'www.example.com/x',
    ],
    ...[
      '[1]',
      '[2, 3]',
      '【4】',
      '[^5]',
      '[a link](https://b.c/(d))',
      '![a picture](x.png)',
      '😀',
      '👩‍🔬',
      '🇨🇳',
      '1️⃣',
      '\n- ',
      '\n1. ',
      '\n# ',
      '> ',
    ],
    ...[
      '```js\nlet x = 1;\n```\n',
      '| a | b |\n|---|---|\n',
      '<br/>',
      '&amp;',
      '3.5 km',
      '20 °C',
      '10%',
      '$5',
      '1,234.5',
      '2024-05-06',
      '3:30',
    ],
    ...[
      '1/2',
      'x_1',
      'a = b',
      '→',
      '光合作用',
      '我们学习 AI',
      '3个',
      'e.g. ',
      'naïve',
      'don’t',
      '—',
      '…',
      '"',
      '(',
      ')',
      '{',
      '}',
      '\\',
      '$',
      '_',
      '*',
    ],
    ...['me@school.edu', 'f(x)', 'H₂O', '√2', 'α', 'Ⅳ', '①', '½', 'C++', 'U.S.', ' ', ' ', ', ', '. ', '。', '，', '\u200b', '\ud800', '𝑥'],
  ),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const lessonText = fc.array(fragment, { maxLength: 12 }).map((parts) => parts.join(''));

test('nothing is left that a synthesiser would spell out', () => {
  fc.assert(
    fc.property(lessonText, locale, (text, language) => {
      expect(pronounceable(text, language).text).toMatch(/^[\p{L}\p{M}\p{N}\s.,;:!?，。！？；：、'’-]*$/u);
    }),
    { numRuns: 2_000 },
  );
});

test('what is spoken comes from the source in order, within its bounds, without overlap', () => {
  fc.assert(
    fc.property(lessonText, locale, (source, language) => {
      const { text, pieces } = pronounceable(source, language);
      let before = { spoken: { from: 0, to: 0 }, source: { from: 0, to: 0 } };
      for (const piece of pieces) {
        for (const side of ['spoken', 'source'] as const) {
          expect(piece[side].from).toBeGreaterThanOrEqual(before[side].to);
          expect(piece[side].to).toBeGreaterThan(piece[side].from);
        }
        if (piece.literal) expect(text.slice(piece.spoken.from, piece.spoken.to)).toBe(source.slice(piece.source.from, piece.source.to));
        before = piece;
      }
      expect(before.spoken.to).toBeLessThanOrEqual(text.length);
      expect(before.source.to).toBeLessThanOrEqual(source.length);
    }),
    { numRuns: 2_000 },
  );
});

test('every word of the voice has a place in the source', () => {
  fc.assert(
    fc.property(lessonText, locale, (source, language) => {
      const said = pronounceable(source, language);
      for (const word of wordsIn(said.text)) {
        const { from, to } = sourceOf(said, word);
        expect(to).toBeGreaterThan(from);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('plain prose is spoken as it stands, every word at its own place', () => {
  const prose = fc.array(fc.constantFrom('the', 'leaf', 'makes', 'sugar', 'don’t', 'well-known', '光', '合作用', '叶子'), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(prose, fc.constantFrom(' ', ', ', '. '), (words, separator) => {
      const source = words.join(separator);
      const said = pronounceable(source, 'en');
      for (const word of wordsIn(said.text)) {
        const { from, to } = sourceOf(said, word);
        expect(source.slice(from, to)).toBe(said.text.slice(word.from, word.to));
      }
      expect(wordsIn(said.text).length).toBe(wordsIn(source).length);
    }),
  );
});

test('a thousand characters of anything are read in a moment', () => {
  const hostile = [
    '(',
    '[',
    '$',
    '`',
    '\\frac{',
    '{',
    '|-',
    'a.',
    'a@',
    '_a',
    '^1',
    '&',
    '<a',
    '1,',
    '**',
    '\n- ',
    '【',
    '√(',
    '1:',
    'a\u0301',
  ];
  for (const piece of hostile) {
    const started = performance.now();
    pronounceable(piece.repeat(Math.ceil(1_000 / piece.length)), 'en');
    expect(performance.now() - started, piece).toBeLessThan(500);
  }
});

test.for([
  ['**Photosynthesis** makes *sugar* [1], says [the book](https://a.b/c).', 'Photosynthesis makes sugar, says the book.'],
  ['See https://www.example.org/a?b=c#d for more.', 'See link to example dot org for more.'],
  ['- [ ] First item\n- Second 😀👍🏽 one!', 'First item, Second one!'],
  ['# Leaves\n\n> They are green.', 'Leaves, They are green.'],
  ['```js\nlet a = 1;\n```\nThat is it.', 'The code is on the screen, That is it.'],
  ['| Gas | Share |\n|---|---:|\n| N₂ | 78% |', 'Gas, Share, N two, seventy eight percent'],
  ['Call `fooBar_baz(x)` &amp; wait<br>here.', 'Call foo Bar baz x and wait here.'],
  ['It costs $5, €3.50 or £1 million.', 'It costs five dollars, three euros and fifty cents or one million pounds.'],
  [
    '12,345 people ran 1 km in 3.5 h at 20 °C.',
    'twelve thousand three hundred forty five people ran one kilometer in three point five hours at twenty degrees Celsius.',
  ],
  [
    'In 1905, on 2024-05-06 at 3:05, in the 1980s.',
    'In nineteen oh five, on May sixth, twenty twenty four at three oh five, in the nineteen eighties.',
  ],
  ['1/2 of 3-5 kg, the 21st, -5, 5 - 3.', 'one half of three to five kilograms, the twenty first, minus five, five minus three.'],
  ['Light moves at 3 × 10^8 m/s.', 'Light moves at three times ten to the power of eight meters per second.'],
  ['E = mc^2 and f(x) = 2x + 1', 'E equals m c squared and f of x equals two x plus one'],
  ['$x^2 + \\frac{1}{2}$', 'x squared plus one half'],
  ['\\(\\sqrt{a^2+b^2}\\)', 'the square root of a squared plus b squared'],
  ['$$\\sum_{i=1}^{n} i = \\frac{n(n+1)}{2}$$', 'the sum from i equals one to n of i equals n n plus one over two'],
  ['$\\lim_{x \\to 0} \\frac{\\sin x}{x}$', 'the limit as x goes to zero of sine x over x'],
  ['$x^{-1}$ and $\\alpha_i$ and $\\vec{v}$', 'x to the power of minus one and alpha sub i and vector v'],
  ['H₂O, CO2, x³ and √2', 'H two O, CO two, x cubed and the square root of two'],
  ['me@school.edu wrote main.ts, e.g. in C++.', 'me at school dot edu wrote main dot ts, for example in C plus plus.'],
  ['"Quoted" words (in brackets) — and a pause…', 'Quoted words, in brackets, and a pause'],
])('%j is spoken as %j', ([source, spoken]) => {
  expect(pronounceable(source ?? '', 'en').text).toBe(spoken);
});

test.for([
  ['**光合作用**把 $x^2$ 变成糖[1]，见 https://example.org/a。', '光合作用把 x 的平方变成糖，见链接。'],
  ['面积是3.5平方米，20 °C，10%。', '面积是三点五平方米，二十摄氏度，百分之十。'],
  ['2024年有2个，共12345人，10005元，1/2。', '二零二四年有两个，共一万二千三百四十五人，一万零五元，二分之一。'],
  ['-5，3:30，¥5，3-5公里，10 km/h。', '负五，三点三十分，五元，三到五公里，十千米每小时。'],
  ['我们用 Python 学习 AI（人工智能）和 H2O。', '我们用 Python 学习 AI，人工智能，和 H 二 O。'],
  ['$\\frac{a}{b}$、$\\sqrt{x}$、$x^{-1}$、x³', 'b 分之 a、根号 x、x 的负一次方、x 的立方'],
  ['- 第一😀\n- 第2', '第一，第二'],
  ['F＝m×a，水 + 光 → 糖', 'F 等于 m 乘以 a，水加光生成糖'],
  ['北京→上海', '北京到上海'],
  ['```py\nprint(1)\n```', '代码在屏幕上'],
])('%j 读作 %j', ([source, spoken]) => {
  expect(pronounceable(source ?? '', 'zh').text).toBe(spoken);
});

test('a formula is one place, a word keeps its own', () => {
  const source = 'So $x^2$ grows.';
  const said = pronounceable(source, 'en');
  const places = wordsIn(said.text).map((word) => sourceOf(said, word));
  expect(places.map(({ from, to }) => source.slice(from, to))).toEqual(['So', '$x^2$', '$x^2$', 'grows']);
});

test.for(['', '   ', '😀', '[1]', 'let a = 1;\nlet b = 2;\n```\n', '---', '**', '![](x.png)', '<br>'])(
  '%j has nothing to say',
  (source) => {
    expect(wordsIn(pronounceable(source, 'en').text)).toEqual([]);
  },
);
