import fc from 'fast-check';
import { expect, test } from 'vitest';
import { timeWords, wordsIn } from './word-times.ts';

function slices(text: string): readonly string[] {
  return wordsIn(text).map(({ from, to }) => text.slice(from, to));
}

test('words are runs of letters and digits, Chinese ones are characters', () => {
  expect(slices("It's well-known: don’t stop.")).toEqual(["It's", 'well-known', 'don’t', 'stop']);
  expect(slices('我们用 Python 学习AI。')).toEqual(['我', '们', '用', 'Python', '学', '习', 'AI']);
  expect(slices('café naïve 3.5')).toEqual(['café', 'naïve', '3.5']);
  expect(slices(' … ，。!')).toEqual([]);
});

test('words that were said as one share its time by their length', () => {
  const words = wordsIn('most of it');
  expect(timeWords(words, [{ startMs: 0, endMs: 600 }, null, { startMs: 600, endMs: 700 }])).toEqual([
    { from: 0, to: 4, startMs: 0, endMs: 400 },
    { from: 5, to: 7, startMs: 400, endMs: 600 },
    { from: 8, to: 10, startMs: 600, endMs: 700 },
  ]);
});

test('words before the first time share that', () => {
  const words = wordsIn('a b c');
  expect(timeWords(words, [null, null, { startMs: 30, endMs: 60 }]).map(({ startMs }) => startMs)).toEqual([30, 40, 50]);
});

test('without any time there are no words', () => {
  expect(timeWords(wordsIn('a b'), [null, null])).toEqual([]);
});

test('every word gets a time, in order, however muddled the times are', () => {
  const time = fc.option(
    fc
      .tuple(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 500 }))
      .map(([startMs, lengthMs]) => ({ startMs, endMs: startMs + lengthMs })),
  );
  fc.assert(
    fc.property(fc.array(time, { minLength: 1, maxLength: 30 }), (times) => {
      const words = times.map((_, index) => ({ from: index * 3, to: index * 3 + 2 }));
      const timed = timeWords(words, times);
      if (times.every((entry) => entry === null)) return;
      expect(timed.map(({ from, to }) => ({ from, to }))).toEqual(words);
      for (const [index, { startMs, endMs }] of timed.entries()) {
        expect(endMs).toBeGreaterThanOrEqual(startMs);
        if (index > 0) expect(startMs).toBeGreaterThanOrEqual(timed[index - 1]?.endMs ?? 0);
      }
    }),
    { numRuns: 500 },
  );
});
