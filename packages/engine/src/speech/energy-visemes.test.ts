import { expect, test } from 'vitest';
import { energyVisemes, voicedRanges } from './energy-visemes.ts';

const rate = 16_000;

/** Stretches of a tone: level in dB below full scale, and length in ms. */
function tones(...stretches: readonly (readonly [db: number, ms: number])[]): Int16Array {
  return Int16Array.from(
    stretches.flatMap(([db, ms]) =>
      Array.from({ length: (ms * rate) / 1000 }, (_, index) => 32_000 * 10 ** (db / 20) * Math.sin((2 * Math.PI * 250 * index) / rate)),
    ),
  );
}

test('the louder the voice, the wider the mouth', () => {
  const mouth = energyVisemes(tones([-90, 200], [0, 200], [-14, 200], [-24, 200], [-90, 200]), rate);
  expect(mouth).toEqual([
    { viseme: 'sil', startMs: 0, endMs: 200 },
    { viseme: 'aa', startMs: 200, endMs: 400 },
    { viseme: 'E', startMs: 400, endMs: 600 },
    { viseme: 'I', startMs: 600, endMs: 800 },
    { viseme: 'sil', startMs: 800, endMs: 1_000 },
  ]);
});

test('a closure inside a word is no pause, a breath is', () => {
  const ranges = voicedRanges(tones([0, 200], [-90, 80], [0, 200], [-90, 200], [0, 100]), rate);
  expect(ranges).toEqual([
    { startMs: 0, endMs: 480 },
    { startMs: 680, endMs: 780 },
  ]);
});

test('silence has no voice', () => {
  expect(voicedRanges(new Int16Array(1_600), rate)).toEqual([]);
  expect(energyVisemes(new Int16Array(0), rate)).toEqual([]);
});
