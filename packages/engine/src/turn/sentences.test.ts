import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { advance, finish, type SegmenterOutput, sentencesOf, startSegmenter } from './sentences.ts';

function run(chunks: readonly string[], from = { index: 0, prefix: '' }): readonly SegmenterOutput[] {
  const outputs: SegmenterOutput[] = [];
  let state = startSegmenter(from);
  for (const chunk of chunks) {
    const [next, more] = advance(state, chunk);
    outputs.push(...more);
    state = next;
  }
  return [...outputs, ...finish(state)[1]];
}

function joined(outputs: readonly SegmenterOutput[], type: SegmenterOutput['type']): string {
  return outputs.flatMap((output) => (output.type === type ? [output.text] : [])).join('');
}

/** Text rich in whatever decides a sentence's end. */
const piece = fc.constantFrom(
  ...['. ', '.', '?', '!', '。', '！', '……', '…', '...', ' ', '  ', '\n', '\n\n', '"', '”', '’', "'", '」', ')', '[1]', '[', '[2, 3]'],
  ...['Dr', 'e.g', 'A', 'U.S', 'etc', 'word', 'The', '3', '1', '光', '天空', '，', '**', '*', '`', '```', '\n```\n', '- ', '😀', '👩‍🚀'],
  ...['e\u0301', '\u200d', '\ufe0f', '🏽', '\ud83d', '\ude00', '.**', '**A', '."', '"B', 'x'.repeat(650), '长'.repeat(400)],
);
const text = fc.oneof(
  fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 60 }),
);
/** A text and places to cut it, surrogate pairs and all. */
const chunked = fc.tuple(text, fc.array(fc.nat(2_000), { maxLength: 12 })).map(([whole, cuts]) => {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return places.slice(1).map((place, i) => whole.slice(places[i], place));
});

describe('laws, for any text and any chunking', () => {
  const runs = { numRuns: 2_000 };

  test('deltas joined, and sentences joined, are the text', () => {
    fc.assert(
      fc.property(chunked, (chunks) => {
        const outputs = run(chunks);
        expect(joined(outputs, 'delta')).toBe(chunks.join(''));
        expect(joined(outputs, 'sentence')).toBe(chunks.join(''));
      }),
      runs,
    );
  });

  test('chunking changes no sentence', () => {
    fc.assert(
      fc.property(chunked, (chunks) => {
        const sentences = (outputs: readonly SegmenterOutput[]) => outputs.filter((output) => output.type === 'sentence');
        expect(sentences(run(chunks))).toEqual(sentences(run([chunks.join('')])));
        expect(sentences(run([...chunks.join('')]))).toEqual(sentences(run([chunks.join('')])));
      }),
      runs,
    );
  });

  test('a sentence follows all of its own deltas and none of the next one, and equals their sum', () => {
    fc.assert(
      fc.property(chunked, (chunks) => {
        let index = 0;
        let deltas = '';
        for (const output of run(chunks)) {
          expect(output.index).toBe(index);
          expect(output.text).not.toBe('');
          if (output.type === 'delta') deltas += output.text;
          else {
            expect(output.text).toBe(deltas);
            index += 1;
            deltas = '';
          }
        }
        expect(deltas).toBe('');
      }),
      // Found by chance: long enough to be cut inside what follows its mark.
      { ...runs, examples: [[[`${'x'.repeat(650)}. [2, 3]*`]], [[`${'x'.repeat(650)}. [2]`, 'y']]] },
    );
  });

  test('no output tears a surrogate pair of the text', () => {
    fc.assert(
      fc.property(chunked, (chunks) => {
        const whole = chunks.join('');
        let at = 0;
        for (const output of run(chunks)) {
          if (output.type === 'delta') at += output.text.length;
          const torn = /[\ud800-\udbff]$/.test(whole.slice(0, at)) && /^[\udc00-\udfff]/.test(whole.slice(at));
          expect(torn).toBe(false);
        }
      }),
      runs,
    );
  });

  test('going on after the first sentences gives the rest', () => {
    fc.assert(
      fc.property(text, fc.nat(20), (whole, cut) => {
        const all = run([whole]).filter((output) => output.type === 'sentence');
        const kept = all.slice(0, cut % (all.length + 1));
        const prefix = kept.map((sentence) => sentence.text).join('');
        const rest = run([whole.slice(prefix.length)], { index: kept.length, prefix });
        expect(rest.filter((output) => output.type === 'sentence')).toEqual(all.slice(kept.length));
      }),
      runs,
    );
  });

  test('no sentence is longer than 1,600 characters plus what combines with the last', () => {
    fc.assert(
      fc.property(text, (whole) => {
        for (const sentence of sentencesOf(whole.replaceAll(/[\p{M}\s]|\u200d|\p{Emoji_Modifier}/gu, 'x'))) {
          expect(sentence.length).toBeLessThanOrEqual(1_600);
        }
      }),
      runs,
    );
  });
});

const cases: readonly (readonly [name: string, sentences: readonly string[]])[] = [
  ['plain English', ['Light is a wave. ', 'It is fast! ', 'Is it? ', 'Yes.']],
  ['titles', ['Dr. Lee met Mrs. Wong. ', 'They spoke.']],
  ['e.g. and i.e.', ['Some gases, e.g. Argon, i.e. noble ones, glow. ', 'Neat.']],
  ['an abbreviation that may end a sentence', ['We saw rain, hail, etc. ', 'Then it stopped.']],
  ['an abbreviation before a small letter', ['It takes approx. five minutes, etc. and so on.']],
  ['decimals and versions', ['Pi is 3.14 and g is 9.8 m/s. ', 'Done.']],
  ['initials', ['J. K. Rowling wrote it. ', 'C. V. Raman studied light.']],
  ['the pronoun I at the end', ['So did I. ', 'Then we left.']],
  ['figures', ['See Fig. 3 and p. 12. ', 'Then go on.']],
  ['"No." as an answer and as a number', ['No. ', 'That is No. 5 in the list.']],
  ['ellipsis that goes on', ['Well... maybe not. ', 'Wait... ', 'Now.']],
  ['question and exclamation marks together', ['Really?! ', 'Yes.']],
  ['a quoted question inside a sentence', ['"Why?" she asked. ', '"Because!" ', 'He left.']],
  ['quotes after the full stop', ['He said "it rains." ', 'Then it did.']],
  ['brackets', ['(It was cold.) ', 'We froze.']],
  ['bold and italics', ['**Note.** ', '*This matters.* ', 'Go on.']],
  ['citations after the full stop', ['Light scatters. [1] ', 'Blue most. [2][3] ', 'Red least.[1, 2] ', 'End [4]. ', 'Bye.']],
  ['a bracket that is no citation', ['Look. ', '[Note] this.']],
  ['addresses', ['Visit www.example.com/a.b now. ', 'Thanks.']],
  ['paragraphs and line ends', ['A heading\n\n', 'Some text without a stop\n', 'more.']],
  ['list items', ['Steps:\n', '1. Heat the water.\n', '2. Wait.\n', '- cool it\n', '- done']],
  ['nested lists keep their indentation with the line before', ['- a\n  ', '- b\n']],
  ['a numbered item after a sentence', ['Two things. ', '1. Heat. ', 'Then wait.']],
  ['Chinese', ['天空是蓝色的。', '为什么呢？', '太阳光！', '好。']],
  ['Chinese quotes', ['他说：“天是蓝的。”', '我同意。', '「真的吗？」', '是的。']],
  ['Chinese quote followed by a comma', ['“你好！”，他说。', '然后走了。']],
  ['Chinese ellipsis', ['嗯……', '我想想。']],
  ['a single ellipsis inside Chinese', ['嗯…好吧。']],
  ['ASCII marks in Chinese', ['你好!', '今天学什么?', '学光。']],
  ['ASCII quotes in Chinese', ['他说"好。"', '"走吧。"', '完。']],
  ['emphasis that opens right after a Chinese full stop', ['这是光。', '**重点**是散射。']],
  ['citations in Chinese', ['蓝光散射最多。[1]', '红光最少[2]。', '完。']],
  ['mixed languages', ['光速约为3.0×10^8 m/s。', 'That is fast. ', '对吧？']],
  ['a code block', ['Run this:\n', '```js\na.b(); c.d();\nE. F.\n```\n', 'Done.']],
  ['a blank line after a code block', ['```\na. B.\n```\n\n  ', 'Done.']],
  ['rare characters, two code units long', ['你好!', '𠮷野来了。', 'Well... 𐐨 is small.']],
  ['emoji', ['Great! ', '😀 Next one.']],
  ['leading white space', ['  Hello. ', 'Bye.']],
];

describe('sentences', () => {
  test.each(cases)('%s', (_name, sentences) => {
    expect(sentencesOf(sentences.join(''))).toEqual(sentences);
    const letterByLetter = run(sentences.join('').split(''));
    expect(letterByLetter.flatMap((output) => (output.type === 'sentence' ? [output.text] : []))).toEqual(sentences);
  });

  test('an empty text has none', () => {
    expect(sentencesOf('')).toEqual([]);
  });

  test('a full stop waits for what follows; everything certain is shown at once', () => {
    const [afterDot, first] = advance(startSegmenter(), 'It is 3.');
    expect(first).toEqual([{ type: 'delta', index: 0, text: 'It is 3.' }]);
    const [, second] = advance(afterDot, '5 m. T');
    expect(second).toEqual([
      { type: 'delta', index: 0, text: '5 m. ' },
      { type: 'sentence', index: 0, text: 'It is 3.5 m. ' },
      { type: 'delta', index: 1, text: 'T' },
    ]);
  });

  test('a half surrogate pair waits for its other half', () => {
    const [state, first] = advance(startSegmenter(), 'Hi \ud83d');
    expect(first).toEqual([{ type: 'delta', index: 0, text: 'Hi ' }]);
    expect(advance(state, '\ude00')[1]).toEqual([{ type: 'delta', index: 0, text: '😀' }]);
  });

  test('a code block too long for one sentence is cut at line ends, and a reply resumed inside it still knows', () => {
    const block = `\`\`\`js\n${'a.b(); C.d();\n'.repeat(150)}\`\`\`\n`;
    const [first = '', ...rest] = sentencesOf(`${block}Done. Bye.`);
    expect(first).toMatch(/d\(\);\n$/);
    expect(rest).toHaveLength(4);
    expect(rest.slice(-2)).toEqual(['Done. ', 'Bye.']);
    const resumed = run([rest.join('')], { index: 1, prefix: first });
    expect(resumed.flatMap((output) => (output.type === 'sentence' ? [output.text] : []))).toEqual(rest);
  });

  test('a cut between characters separates no skin colour from its hand', () => {
    const text = `${'光'.repeat(998)}👍🏽光光`;
    expect(sentencesOf(text)).toEqual([`${'光'.repeat(998)}👍🏽`, '光光']);
    expect(joined(run(text.split('')).slice(0, -2), 'sentence')).toBe(`${'光'.repeat(998)}👍🏽`);
  });

  test('a text without any end is cut at white space, and without white space between characters', () => {
    const words = 'word '.repeat(400);
    expect(sentencesOf(words).map((sentence) => sentence.length)).toEqual([605, 605, 605, 185]);
    expect(sentencesOf('光'.repeat(2_500)).map((sentence) => sentence.length)).toEqual([1_000, 1_000, 500]);
  });
});
