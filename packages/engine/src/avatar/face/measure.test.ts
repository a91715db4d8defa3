import { expect, test } from 'vitest';
import { drawnFace } from '../../../../../test/support/drawn-face.ts';
import { measureFace } from './measure.ts';

const still = { x: 0, y: 0, tilt: 0, scale: 1 };

function drawn(move = still): Float32Array {
  const points = drawnFace(16, [move]).landmarks[0];
  if (points === undefined) throw new Error('no frame');
  return points.map((px) => px * 32);
}

test('a face from the front with closed lips measures as such', () => {
  const face = measureFace(drawn());
  expect(face?.mouthOpening).toBeLessThan(0.03);
  expect(face?.yaw).toBeCloseTo(0, 3);
  expect(face?.roll).toBeCloseTo(0, 3);
  expect(face?.interOcularPx).toBeCloseTo(100, 1);
});

test.each([-0.2, 0.1, 0.3])('a head tilted by %d rad rolls by as much and opens no mouth', (tilt) => {
  expect(measureFace(drawn({ ...still, tilt }))?.roll).toBeCloseTo(tilt, 3);
  expect(measureFace(drawn({ ...still, tilt }))?.mouthOpening).toBeLessThan(0.03);
});

test('lips 20 px apart open the mouth by a fifth of the eyes distance more', () => {
  const points = drawn();
  const closed = measureFace(points)?.mouthOpening ?? 0;
  for (const i of [65, 66, 67]) points[2 * i + 1] = (points[2 * i + 1] ?? 0) + 20;
  expect((measureFace(points)?.mouthOpening ?? 0) - closed).toBeCloseTo(0.2, 1);
});

test('a nose moved towards an edge turns the face that way', () => {
  for (const px of [-40, 40]) {
    const points = drawn();
    points[60] = (points[60] ?? 0) + px;
    expect(Math.sign(measureFace(points)?.yaw ?? 0)).toBe(Math.sign(px));
    expect(Math.abs(measureFace(points)?.yaw ?? 0)).toBeGreaterThan(0.3);
  }
});

test('what is no face has no measure', () => {
  expect(measureFace(new Float32Array(136))).toBeNull();
  expect(measureFace(new Float32Array(10))).toBeNull();
  expect(measureFace(drawn().fill(Number.NaN, 4, 5))).toBeNull();
});
