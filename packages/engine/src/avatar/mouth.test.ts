import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MouthShape, type TimedViseme, type Viseme, visemes } from '../media/ports.ts';
import { between, mouthAt, restMouth } from './mouth.ts';

const frameMs = 40;
fc.configureGlobal({ numRuns: 2000 });

/** Sounds one after the other, of 20 to 250 ms each. */
const timelines = fc
  .array(fc.tuple(fc.constantFrom(...visemes), fc.integer({ min: 20, max: 250 })), { minLength: 1, maxLength: 30 })
  .map((sounds) => spoken(...sounds));

function spoken(...sounds: readonly [Viseme, number][]): TimedViseme[] {
  let endMs = 0;
  return sounds.map(([viseme, ms]) => {
    const startMs = endMs;
    endMs += ms;
    return { viseme, startMs, endMs };
  });
}

function sum(mouth: MouthShape): number {
  return visemes.reduce((total, viseme) => total + mouth[viseme], 0);
}

function furthest(a: MouthShape, b: MouthShape): number {
  return Math.max(...visemes.map((viseme) => Math.abs(a[viseme] - b[viseme])));
}

describe('a mouth', () => {
  test('is a mix of shapes whose weights add up to one, at any time of any timeline', () => {
    fc.assert(
      fc.property(timelines, fc.integer({ min: -500, max: 9000 }), (timeline, atMs) => {
        const mouth = mouthAt(timeline, atMs);
        expect(sum(mouth)).toBeCloseTo(1, 6);
        expect(visemes.every((viseme) => mouth[viseme] >= 0 && mouth[viseme] <= 1)).toBe(true);
      }),
    );
  });

  test('is at rest before the first sound, after the last and without any', () => {
    fc.assert(
      fc.property(timelines, fc.integer({ min: 150, max: 5000 }), (timeline, awayMs) => {
        expect(mouthAt(timeline, -awayMs)).toEqual(restMouth);
        expect(mouthAt(timeline, (timeline.at(-1)?.endMs ?? 0) + awayMs)).toEqual(restMouth);
      }),
    );
    expect(mouthAt([], 100)).toEqual(restMouth);
  });

  test('moves without jumps: no weight changes by more than a twelfth in a millisecond', () => {
    fc.assert(
      fc.property(timelines, fc.integer({ min: -200, max: 4000 }), (timeline, atMs) => {
        expect(furthest(mouthAt(timeline, atMs), mouthAt(timeline, atMs + 1))).toBeLessThan(1 / 12);
      }),
    );
  });

  test('closes for every p, b, m, f and v in at least one frame, however short it is and wherever the frames fall', () => {
    fc.assert(
      fc.property(timelines, fc.integer({ min: 0, max: frameMs - 1 }), (timeline, phaseMs) => {
        for (const { viseme, startMs, endMs } of timeline) {
          if (viseme !== 'PP' && viseme !== 'FF') continue;
          const first = Math.floor((startMs - 150) / frameMs) * frameMs + phaseMs;
          const frames = Array.from({ length: 16 }, (_, i) => first + i * frameMs).filter((atMs) => atMs < endMs + 60);
          const tightest = Math.max(...frames.map((atMs) => ((mouth) => mouth.PP + mouth.FF)(mouthAt(timeline, atMs))));
          expect(tightest).toBeGreaterThan(0.95);
        }
      }),
    );
  });

  test.each([
    ['in silence', spoken(['sil', 300], ['aa', 200], ['sil', 300])],
    ['out of nothing', [{ viseme: 'aa', startMs: 300, endMs: 500 } as const]],
  ])('shows a sound 40 to 60 ms before it is heard: %s', (_, timeline) => {
    const halfOpenMs = Array.from({ length: 400 }, (_, i) => i).find((atMs) => mouthAt(timeline, atMs).aa >= 0.5) ?? 0;
    expect(300 - halfOpenMs).toBeGreaterThanOrEqual(40);
    expect(300 - halfOpenMs).toBeLessThanOrEqual(60);
  });

  test('reaches a long vowel fully, and keeps some of the vowels during a short consonant between them', () => {
    expect(mouthAt(spoken(['kk', 80], ['aa', 200], ['kk', 80]), 135).aa).toBeGreaterThan(0.97);
    const between = mouthAt(spoken(['aa', 150], ['DD', 60], ['aa', 150]), 135);
    expect(between.DD).toBeGreaterThan(0.4);
    expect(between.aa).toBeGreaterThan(0.2);
  });

  test('rounds early for a rounded vowel: "too" puckers while the t is still heard', () => {
    expect(mouthAt(spoken(['DD', 90], ['U', 200]), 30).U).toBeGreaterThan(mouthAt(spoken(['DD', 90], ['I', 200]), 30).I);
  });

  test('goes from one shape to another by shares', () => {
    const open = mouthAt(spoken(['aa', 400]), 150);
    expect(between(open, restMouth, 0)).toEqual(open);
    expect(between(open, restMouth, 1)).toEqual(restMouth);
    expect(between(open, restMouth, 0.5).aa).toBeCloseTo(open.aa / 2, 6);
  });
});
