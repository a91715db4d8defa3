import { expect, test } from 'vitest';
import { drawnFace, swaying } from '../../../../../test/support/drawn-face.ts';
import { inPicture, trackHead } from './head-pose.ts';

/** Even noise of `px` to both sides. */
function jitter(px: number): (value: number) => number {
  let seed = 3;
  return (value) => {
    seed = (seed * 16_807) % 2_147_483_647;
    return value + px * ((2 * seed) / 2_147_483_647 - 1);
  };
}

test('every landmark of a swaying head is where its pose says', () => {
  const face = drawnFace(64, swaying(25));
  const head = trackHead(face);
  for (const [frame, pose] of head.poses.entries()) {
    for (let point = 0; point < 68; point += 1) {
      const { x, y } = inPicture(pose, head.face[2 * point] ?? 0, head.face[2 * point + 1] ?? 0);
      const points = face.landmarks[frame];
      expect(Math.hypot(x - (points?.[2 * point] ?? 0), y - (points?.[2 * point + 1] ?? 0))).toBeLessThan(0.05);
    }
  }
});

test('mouth coordinates have the corners at -1 and 1, level, and the nose above', () => {
  const { face } = trackHead(drawnFace(64, swaying(25)));
  expect([face[96], face[108]].map((u) => Math.abs(Math.abs(u ?? 0) - 1))).toEqual([expect.closeTo(0, 1), expect.closeTo(0, 1)]);
  expect(face[97]).toBeCloseTo(face[109] ?? 0, 2);
  expect(face[67]).toBeLessThan(0);
});

test('landmarks that jitter by half a pixel shake mouth and chin by less than a third of one', () => {
  const still = drawnFace(
    512,
    Array.from({ length: 20 }, () => ({ x: 0, y: 0, tilt: 0, scale: 1 })),
  );
  const { poses: calm } = trackHead(still);
  const noisy = jitter(0.5);
  const shaken = trackHead({ ...still, landmarks: still.landmarks.map((points) => points.map(noisy)) });
  for (const [u, v] of [
    [0, 0],
    [1, 0],
    [0, 2],
  ] as const) {
    for (const [frame, pose] of shaken.poses.entries()) {
      const [a, b] = [inPicture(pose, u, v), inPicture(calm[frame] ?? pose, u, v)];
      expect(Math.hypot(a.x - b.x, a.y - b.y), `${u}, ${v}`).toBeLessThan(0.3);
    }
  }
});
