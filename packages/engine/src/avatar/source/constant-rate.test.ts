import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createConstantRate } from './constant-rate.ts';

/** Which frame each tick shows. */
function shown(timesMs: readonly number[], lastsMs = 0): number[] {
  const rate = createConstantRate();
  const ticks: number[] = [];
  timesMs.forEach((atMs, i) => {
    ticks.push(...Array.from({ length: rate.next(atMs) }, () => i - 1));
  });
  ticks.push(...Array.from({ length: rate.end(lastsMs) }, () => timesMs.length - 1));
  return ticks;
}

test('frames of 25 a second are shown once each', () => {
  expect(shown([0, 40, 80, 120])).toEqual([0, 1, 2, 3]);
});

test('a timestamp rounded by a millisecond changes nothing', () => {
  expect(shown([0, 41, 79, 121, 160])).toEqual([0, 1, 2, 3, 4]);
});

test('30 a second lose every sixth, 24 a second show every twenty-fourth twice', () => {
  expect(shown(Array.from({ length: 12 }, (_, i) => (i * 1000) / 30))).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9, 10]);
  const film = shown(Array.from({ length: 48 }, (_, i) => (i * 1000) / 24));
  expect(film).toHaveLength(50);
  expect(new Set(film).size).toBe(48);
});

test('a pause repeats the frame before it', () => {
  expect(shown([0, 200, 240])).toEqual([0, 0, 0, 0, 0, 1, 2]);
});

test('the last frame lasts as long as it says, as the one before it when it says nothing, and a second at most', () => {
  expect(shown([0, 40], 120)).toEqual([0, 1, 1, 1]);
  expect(shown([0, 100], 0)).toEqual([0, 0, 0, 1, 1]);
  expect(shown([0, 40], 3_600_000)).toHaveLength(26);
});

test('a film of one instant is one picture', () => {
  expect(shown([0])).toEqual([0]);
  expect(shown([0, 0, 0], 0.01)).toEqual([2]);
  expect(shown([], 40)).toEqual([]);
});

test('time that runs backwards stands still instead', () => {
  expect(shown([0, 80, 20, 120])).toEqual([0, 0, 2, 3]);
});

test('each tick shows the last frame at or before it, for any film', () => {
  const gaps = fc.array(fc.integer({ min: 3, max: 400 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(gaps, (all) => {
      const times = all.map((_, i) => all.slice(0, i).reduce((sum, gap) => sum + gap, 0));
      shown(times, 40).forEach((frame, tick) => {
        const last = times.findLastIndex((time) => time <= tick * 40 + 2);
        expect([last, times.findLastIndex((time) => time < tick * 40 + 2)]).toContain(frame);
      });
    }),
  );
});
