import { expect, test } from 'vitest';
import { drawnFace } from '../../../../../test/support/drawn-face.ts';
import { inPicture, trackHead } from './head-pose.ts';
import { findLipLine } from './lip-line.ts';
import { columnOf, restingMouth } from './resting-mouth.ts';

const still = drawnFace(
  512,
  Array.from({ length: 3 }, () => ({ x: 0, y: 0, tilt: 0, scale: 1 })),
);
/** Where the drawn lips meet, px. */
const drawnAt = 331;

test.each([-4, -2, 0, 2, 4])('the line between the lips is found though the landmarks of the lips are %d px off', (px) => {
  const isInnerLip = (i: number) => i % 2 === 1 && i > 2 * 60;
  const off = { ...still, landmarks: still.landmarks.map((points) => points.map((at, i) => (isInnerLip(i) ? at + px : at))) };
  const head = trackHead(off);
  const seam = findLipLine(off, head, restingMouth(head.face).seam);
  const [pose] = head.poses;
  if (pose === undefined) throw new Error('there are three frames');
  for (const u of [-0.5, -0.2, 0, 0.2, 0.5]) {
    const { y } = inPicture(pose, u, seam[columnOf(u)] ?? 0);
    expect(Math.abs(y - drawnAt), `at ${u}`).toBeLessThan(0.8);
  }
});

test('where there is no line, the landmarks hold', () => {
  const grey = { ...still, frames: still.frames.map((frame) => frame.map(() => 128)) };
  const head = trackHead(grey);
  const { seam } = restingMouth(head.face);
  expect(findLipLine(grey, head, seam)).toEqual(seam);
});
