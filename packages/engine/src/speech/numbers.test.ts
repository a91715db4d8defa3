import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chineseNumber } from './chinese-numbers.ts';
import { englishNumber, englishOrdinal, englishYear } from './english-numbers.ts';

test.for([
  ['0', 'zero', '零'],
  ['10', 'ten', '十'],
  ['12', 'twelve', '十二'],
  ['20', 'twenty', '二十'],
  ['105', 'one hundred five', '一百零五'],
  ['110', 'one hundred ten', '一百一十'],
  ['1,001', 'one thousand one', '一千零一'],
  ['10,010', 'ten thousand ten', '一万零一十'],
  ['100000', 'one hundred thousand', '十万'],
  ['1000005', 'one million five', '一百万零五'],
  ['120003400', 'one hundred twenty million three thousand four hundred', '一亿二千万三千四百'],
  ['3.50', 'three point five zero', '三点五零'],
  ['007', 'zero zero seven', '零零七'],
])('%s is "%s" and "%s"', ([digits, english, chinese]) => {
  expect(englishNumber(digits ?? '')).toBe(english);
  expect(chineseNumber(digits ?? '')).toBe(chinese);
});

test('years and ordinals as people say them', () => {
  expect([1900, 1905, 1995, 2000, 2008, 2024].map(englishYear)).toEqual([
    'nineteen hundred',
    'nineteen oh five',
    'nineteen ninety five',
    'two thousand',
    'two thousand eight',
    'twenty twenty four',
  ]);
  expect(['1', '2', '3', '5', '8', '9', '12', '20', '21', '100'].map(englishOrdinal)).toEqual([
    ...['first', 'second', 'third', 'fifth', 'eighth', 'ninth', 'twelfth', 'twentieth', 'twenty first', 'one hundredth'],
  ]);
});

test('different numbers sound different, in letters only', () => {
  const whole = fc.integer({ min: 0, max: 999_999_999_999 });
  fc.assert(
    fc.property(whole, whole, (a, b) => {
      expect(englishNumber(String(a))).toMatch(/^[a-z ]+$/);
      expect(chineseNumber(String(a))).toMatch(/^\p{sc=Han}+$/u);
      expect(englishNumber(String(a)) === englishNumber(String(b))).toBe(a === b);
      expect(chineseNumber(String(a)) === chineseNumber(String(b))).toBe(a === b);
    }),
    { numRuns: 1_000 },
  );
});
