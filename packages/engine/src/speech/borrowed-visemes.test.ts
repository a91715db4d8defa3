import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Speech, TimedWord } from '../media/ports.ts';
import { borrowVisemes } from './borrowed-visemes.ts';

const reference: Speech = {
  samples: new Int16Array(0),
  engine: 'flite',
  words: [
    { from: 0, to: 4, startMs: 100, endMs: 500 },
    { from: 5, to: 9, startMs: 700, endMs: 900 },
  ],
  visemes: [
    { viseme: 'sil', startMs: 0, endMs: 100 },
    { viseme: 'PP', startMs: 100, endMs: 200 },
    { viseme: 'aa', startMs: 200, endMs: 500 },
    { viseme: 'sil', startMs: 500, endMs: 700 },
    { viseme: 'FF', startMs: 700, endMs: 800 },
    { viseme: 'U', startMs: 800, endMs: 900 },
    { viseme: 'sil', startMs: 900, endMs: 1_100 },
  ],
};

test('phones keep their share of their word, however long another voice takes for it', () => {
  const words: readonly TimedWord[] = [
    { from: 0, to: 4, startMs: 50, endMs: 850 },
    { from: 5, to: 9, startMs: 1_000, endMs: 1_400 },
  ];
  // What is left of the silence at the beginning is too short to be seen: it is part of the first shape.
  expect(borrowVisemes(reference, words)).toEqual([
    { viseme: 'PP', startMs: 0, endMs: 250 },
    { viseme: 'aa', startMs: 250, endMs: 850 },
    { viseme: 'sil', startMs: 850, endMs: 1_000 },
    { viseme: 'FF', startMs: 1_000, endMs: 1_200 },
    { viseme: 'U', startMs: 1_200, endMs: 1_400 },
    { viseme: 'sil', startMs: 1_400, endMs: 1_600 },
  ]);
});

test('any words give a mouth in order', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(lengths, ([a = 1, b = 1, c = 1, d = 1]) => {
      const words = [
        { from: 0, to: 4, startMs: a, endMs: a + b },
        { from: 5, to: 9, startMs: a + b + c, endMs: a + b + c + d },
      ];
      const mouth = borrowVisemes(reference, words);
      for (const [index, { startMs, endMs }] of mouth.entries()) {
        expect(endMs).toBeGreaterThan(startMs);
        expect(startMs).toBeCloseTo(mouth[index - 1]?.endMs ?? startMs, 6);
      }
    }),
  );
});

test('with no word in common the mouth keeps its own times', () => {
  expect(borrowVisemes(reference, [])).toEqual(reference.visemes);
});
