import fc from 'fast-check';
import { expect, test } from 'vitest';
import { alignPhones } from './align-phones.ts';

const phone = fc.constantFrom('aa', 'ax', 'iy', 'p', 't', 's', 'n', 'l');
const words = fc.array(fc.array(phone, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 });

test('phones as expected belong to the words they came from', () => {
  fc.assert(
    fc.property(words, (expected) => {
      const owners = expected.flatMap((phones, index) => phones.map(() => index));
      expect(alignPhones(expected.flat(), expected)).toEqual(owners);
    }),
  );
});

test('words follow each other, whatever was said instead', () => {
  fc.assert(
    fc.property(fc.array(phone, { maxLength: 60 }), words, (said, expected) => {
      const owners = alignPhones(said, expected);
      expect(owners.length).toBe(said.length);
      for (const [index, owner] of owners.entries()) {
        expect(owner).toBeGreaterThanOrEqual(owners[index - 1] ?? 0);
        expect(owner).toBeLessThan(expected.length);
      }
    }),
  );
});

test('a vowel that is reduced in the sentence stays in its word', () => {
  // "a leaf of it": alone "a" is ey and "of" is ah v.
  expect(alignPhones('ax l iy f ax v ih t'.split(' '), [['ey'], ['l', 'iy', 'f'], ['ah', 'v'], ['ih', 't']])).toEqual([
    0, 1, 1, 1, 2, 2, 3, 3,
  ]);
});

test('a word that is never said takes no phones', () => {
  expect(alignPhones(['p', 'aa'], [['p', 'aa'], []])).toEqual([0, 0]);
  expect(alignPhones([], [['p']])).toEqual([]);
});
