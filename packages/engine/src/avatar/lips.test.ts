import { expect, test } from 'vitest';
import { type MouthShape, type Viseme, visemes } from '../media/ports.ts';
import { type Lips, lipsFor } from './lips.ts';
import { between, mouthAt, restMouth } from './mouth.ts';

function only(viseme: Viseme): MouthShape {
  return { ...restMouth, sil: 0, [viseme]: 1 };
}

/** How differently two mouths look, in px or in fifths of what shows. */
function difference(a: Lips, b: Lips): number {
  const px = Math.abs(a.gap - b.gap) + Math.abs(a.halfWidth - b.halfWidth);
  const parts = ['pucker', 'press', 'tuck', 'upperTeeth', 'lowerTeeth', 'tongue', 'tip'] as const;
  return px + 5 * parts.reduce((sum, part) => sum + Math.abs(a[part] - b[part]), 0);
}

test('the fifteen shapes are told apart', () => {
  for (const a of visemes) {
    for (const b of visemes) {
      if (a < b) expect(difference(lipsFor(only(a)), lipsFor(only(b))), `${a} and ${b}`).toBeGreaterThan(5);
    }
  }
});

test('lips at rest are closed and smile, pressed ones are closed, and vowels open in the order aa, O, E, I', () => {
  expect(lipsFor(restMouth)).toMatchObject({ gap: 0, jaw: 0, smile: 1 });
  expect(lipsFor(only('PP'))).toMatchObject({ gap: 0, press: 1 });
  const gaps = (['aa', 'O', 'E', 'I'] as const).map((viseme) => lipsFor(only(viseme)).gap);
  expect(gaps).toEqual(gaps.toSorted((a, b) => b - a));
});

test('a mix lies between its shapes', () => {
  const half = lipsFor(between(only('aa'), only('U'), 0.5));
  expect(half.gap).toBeCloseTo((lipsFor(only('aa')).gap + lipsFor(only('U')).gap) / 2, 6);
});

test('"mama" closes the lips twice and opens them widely after each', () => {
  const timeline = (['PP', 'aa', 'PP', 'aa'] as const).map((viseme, i) => ({ viseme, startMs: i * 120, endMs: (i + 1) * 120 }));
  const gapAt = (atMs: number) => lipsFor(mouthAt(timeline, atMs)).gap;
  expect([gapAt(15), gapAt(255)].every((gap) => gap < 1.5)).toBe(true);
  expect([gapAt(135), gapAt(375)].every((gap) => gap > 30)).toBe(true);
});
