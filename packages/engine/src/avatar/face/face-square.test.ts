import { expect, test } from 'vitest';
import { drawnFace } from '../../../../../test/support/drawn-face.ts';
import { boxOf, cut, type FaceSquare, inPicture, squareAround } from './face-square.ts';

const [face = new Float32Array()] = drawnFace(16, [{ x: 0, y: 0, tilt: 0.2, scale: 1 }]).landmarks.map((points) =>
  points.map((px) => px * 32),
);

/** Red says the column, green the row. */
const [width, height] = [250, 200];
const picture = {
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => [Math.floor(i / 3) % width, Math.floor(i / 3 / width), 7][i % 3] ?? 0),
};

const square: FaceSquare = { x: 100, y: 90, side: 60, roll: 0.3, mirrored: false };

test('the square around a face is as tilted as the face, and holds it', () => {
  const around = squareAround(face, 1.2);
  expect(around.roll).toBeCloseTo(0.2, 2);
  const inside = boxOf(face);
  expect(around.side).toBeLessThan(1.2 * Math.max(inside.width, inside.height));
  expect(Math.hypot(around.x - inside.x - inside.width / 2, around.y - inside.y - inside.height / 2)).toBeLessThan(10);
});

test.each([[{ ...square, roll: 0 }], [square], [{ ...square, mirrored: true }], [{ ...square, side: 150, roll: -0.2 }]])(
  'what is in a place of a cut came from the place that landmarks there are put to: %o',
  (from) => {
    const pixels = cut(picture, from, 32);
    for (const [column, row] of [
      [3, 5],
      [16, 16],
      [28, 20],
    ] as const) {
      const landmarks = new Float32Array(136);
      // A point and the one that is its twin in a mirror: the twin is where it comes back.
      for (const i of [8]) landmarks.set([(column + 0.5) / 32, (row + 0.5) / 32], 2 * i);
      const [x = 0, y = 0] = inPicture(landmarks, from).subarray(16, 18);
      expect(Math.abs((pixels[3 * (row * 32 + column)] ?? 0) - x + 0.5)).toBeLessThan(0.6);
      expect(Math.abs((pixels[3 * (row * 32 + column) + 1] ?? 0) - y + 0.5)).toBeLessThan(0.6);
    }
  },
);

test('in a mirror left and right change places', () => {
  const landmarks = new Float32Array(136).fill(0.5);
  landmarks.set([0.1, 0.5], 0);
  const points = inPicture(landmarks, { ...square, roll: 0, mirrored: true });
  // The first point of the jaw was seen on the mirror's left: that is its last one, on the picture's right.
  expect(points[32]).toBeCloseTo(100 + 0.4 * 60, 3);
  expect(points[0]).toBeCloseTo(100, 3);
});

test('finer detail than a cut can show becomes its mean, not stripes', () => {
  const striped = { width, height, data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (Math.floor(i / 3) % 2) * 200) };
  const pixels = cut(striped, { x: 120, y: 100, side: 120, roll: 0, mirrored: false }, 32);
  for (const value of pixels) expect(Math.abs(value - 100)).toBeLessThan(15);
});

test('beyond the picture its edge goes on', () => {
  const pixels = cut(picture, { x: 0, y: 0, side: 40, roll: 0, mirrored: false }, 8);
  expect([...pixels.subarray(0, 3)]).toEqual([0, 0, 7]);
  expect(pixels.every((value) => value >= 0 && value <= 255)).toBe(true);
});
