import { expect, test } from 'vitest';
import { drawnFace } from '../../../../../test/support/drawn-face.ts';
import { frameQualityOf } from './frame-quality.ts';
import type { FoundFace } from './ports.ts';

const [landmarks = new Float32Array()] = drawnFace(16, [{ x: 0, y: 0, tilt: 0, scale: 1 }]).landmarks;

function face(height: number): FoundFace {
  return { box: { x: 100, y: 100, width: 100, height }, score: 1, landmarks };
}

/** Grey, with a square of another grey where the box is. */
function picture(width: number, around: number, inside: number) {
  const data = new Uint8Array(width * 400 * 3).fill(around);
  for (let y = 100; y < 300; y += 1) data.fill(inside, 3 * (y * width + 100), 3 * (y * width + 200));
  return { width, height: 400, data };
}

test('the height is that in a picture of 512 px', () => {
  expect(frameQualityOf(picture(640, 90, 90), [face(200)]).faceHeightPx).toBe(160);
  expect(frameQualityOf(picture(1024, 90, 90), [face(200)]).faceHeightPx).toBe(100);
});

test('the brightness is the face, not the wall behind it', () => {
  expect(frameQualityOf(picture(640, 200, 30), [face(200)]).brightness).toBeCloseTo(30, 5);
});

test('without a face it is the picture', () => {
  expect(frameQualityOf(picture(640, 200, 200), [])).toEqual({ faces: [], faceHeightPx: 0, brightness: expect.closeTo(200, 5) });
});

test.each([
  [20, 1],
  [85, 1],
  [95, 2],
  [200, 2],
])('of a second face %d px high beside one of 200, %d count', (height, count) => {
  expect(frameQualityOf(picture(640, 90, 90), [face(200), face(height)]).faces).toHaveLength(count);
});

test('a box that reaches beyond the picture is no reason to fail', () => {
  const beyond = { ...face(500), box: { x: -50, y: 300, width: 900, height: 500 } };
  expect(frameQualityOf(picture(640, 90, 90), [beyond]).brightness).toBeCloseTo(90, 5);
});
