import { expect, test } from 'vitest';
import { idleSpan, longestSpan } from './idle-span.ts';
import type { FaceMeasure } from './measure.ts';

const calm: FaceMeasure = { mouthOpening: 0.01, yaw: 0, roll: 0, interOcularPx: 100, eyeOpenness: 0.3, x: 256, y: 200 };

function track(frames: number, at: (frame: number) => Partial<FaceMeasure> | null): (FaceMeasure | null)[] {
  return Array.from({ length: frames }, (_, i) => {
    const face = at(i);
    return face === null ? null : { ...calm, ...face };
  });
}

test('the closed mouth between two stretches of speech is found', () => {
  const span = idleSpan(track(400, (i) => ({ mouthOpening: i >= 120 && i < 260 ? 0.01 : 0.3 })));
  expect(span).toMatchObject({ start: 120, end: 260 });
});

test('of two closed mouths the stiller head is taken', () => {
  const span = idleSpan(
    track(400, (i) => ({ mouthOpening: i === 200 ? 0.3 : 0.01, x: i < 200 ? 256 + 12 * Math.sin(i) : 256 + Math.sin(i / 20) })),
  );
  expect(span?.start).toBeGreaterThan(200);
});

test('a frame without a face is never inside', () => {
  const span = idleSpan(track(300, (i) => (i === 100 ? null : {})));
  expect(span?.start).toBe(101);
});

test('a photo idles in its one frame, and not with its mouth open', () => {
  expect(idleSpan(track(1, () => ({})))).toMatchObject({ start: 0, end: 1, order: [0] });
  expect(idleSpan(track(1, () => ({ mouthOpening: 0.2 })))).toBeNull();
  expect(idleSpan([null])).toBeNull();
  expect(idleSpan([])).toBeNull();
});

test.each([0.6, -0.6])('a face turned by %d is never inside', (yaw) => {
  expect(idleSpan(track(300, (i) => (i < 180 ? { yaw } : {})))).toMatchObject({ start: 180, end: 300 });
});

test('it turns back where the head does', () => {
  // To and fro in 4 s; the head stands still at 25, 75, 125, ...
  const span = idleSpan(track(400, (i) => ({ x: 256 + 12 * Math.sin((2 * Math.PI * i) / 100) })));
  for (const frame of [span?.start ?? Number.NaN, (span?.end ?? Number.NaN) - 1]) {
    expect(Math.abs(((frame + 25) % 50) - 0) % 50, `frame ${frame}`).toSatisfy((off: number) => Math.min(off, 50 - off) <= 5);
  }
});

test.each([0, 1, 2, 3, 4, 5, 6])('a blink is not cut in two: %d frames before the end of the only stretch', (before) => {
  const shut = (i: number) => i >= 150 - before && i < 155 - before;
  const span = idleSpan(track(300, (i) => ({ eyeOpenness: shut(i) ? 0.26 : 0.3, mouthOpening: i >= 30 && i < 150 ? 0.01 : 0.3 })));
  expect(shut((span?.end ?? 0) - 1)).toBe(false);
  expect(shut(span?.start ?? 0)).toBe(false);
});

test('a blink is kept', () => {
  const span = idleSpan(track(150, (i) => ({ eyeOpenness: i > 70 && i < 76 ? 0.05 : 0.3 })));
  expect(span).toMatchObject({ start: 0, end: 150 });
});

test('a long calm clip gives no more than 6 s', () => {
  const span = idleSpan(track(700, () => ({})));
  expect((span?.end ?? 0) - (span?.start ?? 0)).toBe(longestSpan);
});

test.each([
  ['too short', 74, () => ({})],
  ['talking throughout', 300, (i: number) => ({ mouthOpening: i % 50 === 0 ? 0.3 : 0.01 })],
  ['without a face', 300, () => null],
])('a clip that is %s has no idle span', (_name, frames, at) => {
  expect(idleSpan(track(frames, at))).toBeNull();
});

test('the loop never steps further than one frame of the clip, its wrap included', () => {
  const order = idleSpan(track(120, (i) => ({ x: 256 + i / 10 })))?.order ?? [];
  expect(order.length).toBe(2 * 120 - 2);
  const steps = order.map((frame, i) => Math.abs(frame - (order[(i + 1) % order.length] ?? Number.NaN)));
  expect(new Set(steps)).toEqual(new Set([1]));
});
