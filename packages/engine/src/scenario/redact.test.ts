import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMiniSearchIndex } from '../adapters/minisearch-index.ts';
import { splitDocument } from '../knowledge/passages.ts';
import { everydayWords } from './everyday-words.ts';
import { createRedaction, searchText, withheldTerms } from './redact.ts';

const course = [
  '# Light\n\nWhy is the sky blue? Sunlight is scattered by air. Isaac Newton used a prism. A rose is red. In 1660 there was light.',
  '# 光\n\n天空为什么是蓝色的？阳光被空气散射。水和光是不同的。明天会更好。',
];
const redactWith = (...lesson: readonly string[]) => createRedaction({ lesson, course, hide: [] });
const redact = (text: string) => redactWith(text)(text);
const onlyIdentifiers = (text: string) => createRedaction({ lesson: [text], course: null, hide: [] })(text);

describe('what a scenario keeps of a lesson', () => {
  test.each([
    ['My name is Zofia Kowalczyk. Why is the sky blue?', 'My name is ▮. Why is the sky blue?'],
    ["I'm Rose! Is a rose red?", "I'm ▮! Is a ▮ red?"],
    ['My mum has leukaemia, so why is the sky blue', 'My ▮ has ▮, so why is the sky blue'],
    ['I am Will and I will ask: who was Newton?', 'I am ▮ and I will ask: who was Newton?'],
    ['My friend May asks why', 'My ▮ asks why'],
    ['Call me on +44 7700 900123 or 7700900123 or at a.b@example.org', 'Call me on ▮ or ▮ or at ▮'],
    ['see https://example.org/u/anna?x=1 or @anna_k', 'see ▮ or ▮'],
    ['my id is AB12345 and I was born on 12.03.2011', 'my ▮ is ▮ and I was ▮ on ▮'],
    ['it is spelled A-N-N-A', 'it is ▮'],
    ['It scatters light, in 1660 and in 2011', 'It scatters light, in 1660 and in ▮'],
    ['我叫王小明，为什么天空是蓝色的？', '我叫▮，为什么天空是蓝色的？'],
    ['我住在杭州，电话一三八零零一三八，光是什么？', '我▮，▮，光是什么？'],
    ['李水明问：天空为什么是蓝色的？', '▮问：天空为什么是蓝色的？'],
    ['🙂 why?', '▮ why?'],
  ])('%s', (text, kept) => {
    expect(redact(text)).toBe(kept);
  });

  test('a name is gone from the tutor’s words too, and passages keep their numbers', () => {
    expect(redactWith('call me rose')('Well, Rose: a rose is red [1], and light scattered [2, 3].')).toBe(
      'Well, ▮: a ▮ is red [1], and light scattered [2, 3].',
    );
  });

  test('whatever the course does not have and nobody says every day is gone, wherever it stands', () => {
    const known = new Set(
      course
        .join(' ')
        .toLowerCase()
        .match(/\p{L}+/gu),
    );
    const secret = fc.stringMatching(/^[bcdfghjklmnpqrstvwxz]{5,9}$/).filter((word) => !everydayWords.has(word) && !known.has(word));
    const place = fc.constantFrom(
      'my name is #',
      '# and the sky',
      'sky# blue',
      'the# sky',
      '天空#蓝色',
      '我是#。',
      '"#"',
      'x.# ',
      "#'s rose",
    );
    fc.assert(
      fc.property(secret, place, fc.boolean(), (word, template, capital) => {
        const written = capital ? `${word.charAt(0).toUpperCase()}${word.slice(1)}` : word;
        expect(redact(template.replace('#', written)).toLowerCase()).not.toContain(word);
      }),
      { numRuns: 500 },
    );
  });

  test('is the same when it is redacted again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        expect(redact(redact(text))).toBe(redact(text));
      }),
    );
  });

  test('with the student’s words, identifiers and names are gone, and what somebody names', () => {
    expect(onlyIdentifiers("I'm Zofia from Gdansk, mail z@x.pl; Zofia asks why")).toBe("I'm ▮ from Gdansk, mail ▮; ▮ asks why");
    const hiding = createRedaction({ lesson: [], course: null, hide: ['gdansk', '西湖'] });
    expect(hiding('From Gdansk, not Gdanskie. 在西湖边')).toBe('From ▮, not Gdanskie. 在▮边');
  });
});

test('a search for a redacted question finds what the question itself finds', () => {
  const index = createMiniSearchIndex();
  for (const [i, text] of course.entries()) {
    index.add(splitDocument({ documentId: `0000000${i}-0000-4000-8000-000000000000`, title: `T${i}`, mime: 'text/markdown', text }));
  }
  const names = (text: string) => index.search(text, 5).map(({ passageId }) => passageId);
  let fewer = 0;
  for (const question of [
    'Why is the sky blue?',
    'My cousin Zofia Kowalczyk from Gdansk with leukaemia wonders whether unicorns colour the sky',
    '我叫王小明，住在杭州西湖区龙井村，为什么天空是蓝色的？',
    '王小明和李晓红在杭州西湖区龙井村过年放鞭炮看表演吃饺子，天空',
  ]) {
    const redacted = redact(question);
    expect(names(searchText(redacted, withheldTerms(question, redacted)))).toEqual(names(question));
    if (names(redacted).length > names(question).length) fewer += 1;
  }
  expect(fewer).toBeGreaterThan(0);
});
