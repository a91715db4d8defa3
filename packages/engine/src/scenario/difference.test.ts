import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differenceOf, fits } from './difference.ts';

describe('whether an answer is the recorded one', () => {
  test.each([
    ['The sky is blue.', 'The sky is blue. ', true],
    ['The sky is blue.', 'The sky is red.', false],
    ['Hello ▮, the ▮ is blue.', 'Hello Anna, the wide sky is blue.', true],
    ['Hello ▮, the ▮ is blue.', 'Hello Anna, the wide sky is red.', false],
    ['▮', 'anything', true],
    ['▮', '', false],
    ['a▮a', 'aa', false],
    ['a▮b▮c', 'a1b2c', true],
    ['a▮b▮c', 'a1c2b', false],
    ['b▮', 'ab1', false],
  ])('%s | %s: %s', (recorded, answer, expected) => {
    expect(fits(recorded, answer)).toBe(expected);
  });

  test('one that was cut fits all that begin like it', () => {
    expect(fits('The sky ▮ because', 'The sky is blue because of scattering.', false)).toBe(true);
    expect(fits('The sky', 'A sky', false)).toBe(false);
  });

  test('agrees with a regular expression', () => {
    const short = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 6 });
    fc.assert(
      fc.property(fc.array(short, { minLength: 1, maxLength: 4 }), short, fc.boolean(), (literals, text, whole) => {
        const expected = new RegExp(`^${literals.join('.+')}${whole ? '$' : ''}`).test(text);
        expect(fits(literals.join('▮'), text, whole)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('what two answers have in common', () => {
  test('by sentences', () => {
    expect(differenceOf('One. Two. Three. Five.', 'Zero. One. Three. Four. Five.')).toEqual([
      { sentence: 'Zero.', in: 'now' },
      { sentence: 'One.', in: 'both' },
      { sentence: 'Two.', in: 'before' },
      { sentence: 'Three.', in: 'both' },
      { sentence: 'Four.', in: 'now' },
      { sentence: 'Five.', in: 'both' },
    ]);
    expect(differenceOf('', 'New.')).toEqual([{ sentence: 'New.', in: 'now' }]);
    expect(differenceOf('Old.', '')).toEqual([{ sentence: 'Old.', in: 'before' }]);
  });

  test('each answer can be read off it, in order', () => {
    const answer = fc.array(fc.constantFrom('All is well.', 'Light is blue.', 'Grass is green.'), { maxLength: 8 });
    fc.assert(
      fc.property(answer, answer, (before, now) => {
        const found = differenceOf(before.join(' '), now.join(' '));
        const of = (side: 'before' | 'now') =>
          found.filter((part) => part.in === side || part.in === 'both').map(({ sentence }) => sentence);
        expect([of('before'), of('now')]).toEqual([before, now]);
      }),
    );
  });

  test('of thousands of sentences in little time', () => {
    const startedAt = performance.now();
    differenceOf('a b. '.repeat(8_000), 'b a. '.repeat(8_000));
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
