import { expect, test } from 'vitest';
import { blendSquare, faceBox } from './face-box.ts';

const frame = { width: 640, height: 480 };
/** A face from (100, 80) to (200, 220) whose nose (point 29) is at y 150. */
const face = Array.from({ length: 68 }, (_, index) => ({ x: 100 + (100 * index) / 67, y: index === 29 ? 150.9 : index === 8 ? 220 : 120 }));

// preprocessing.py: half = 150, distance = 220 - 150 = 70, top = 150 - 70 = 80; version 1.5 adds 10 px below.
test('the nose is half-way between the top of the box and the chin', () => {
  expect(faceBox({ points: face, frame, chinMargin: 0 })).toEqual({ left: 100, top: 80, right: 200, bottom: 220 });
  expect(faceBox({ points: face, frame })).toEqual({ left: 100, top: 80, right: 200, bottom: 230 });
});

// half = 155, distance = 65, top = 90.
test('a shift of 5 px lowers the top by 10', () => {
  expect(faceBox({ points: face, frame, shift: 5, chinMargin: 0 })).toEqual({ left: 100, top: 90, right: 200, bottom: 220 });
});

test('a box that would begin above the frame begins at its edge', () => {
  expect(faceBox({ points: face.map(({ x, y }) => ({ x, y: y - 100 })), frame, chinMargin: 0 })).toMatchObject({ top: 0, bottom: 120 });
});

test('a chin at the lower edge leaves no room for the margin', () => {
  expect(faceBox({ points: face.map(({ x, y }) => ({ x, y: y + 255 })), frame })).toMatchObject({ bottom: 480 });
});

const unusable = {
  'a face beyond the left edge': face.map(({ x, y }) => ({ x: x - 150, y })),
  'a face without width': face.map(({ y }) => ({ x: 100, y })),
  'points that are no numbers': face.map(() => ({ x: Number.NaN, y: Number.NaN })),
  'no points': [],
};
test.for(Object.entries(unusable))('%s makes no box, unless a detector has one', ([, points]) => {
  const detected = { left: 10, top: 20, right: 60, bottom: 90 };
  expect(faceBox({ points, frame })).toBeNull();
  expect(faceBox({ points, frame, detected, chinMargin: 0 })).toEqual(detected);
});

// blending.py, get_crop_box(box, 1.5): centre (150, 150), half = int(140 // 2 * 1.5) = 105.
test('the square of the blend is one and a half times the box', () => {
  expect(blendSquare({ left: 100, top: 80, right: 200, bottom: 220 })).toEqual({ left: 45, top: 45, right: 255, bottom: 255 });
  // Width 41, height 31: int(41 // 2 * 1.5) = 30; centres 20 and 15.
  expect(blendSquare({ left: 0, top: 0, right: 41, bottom: 31 })).toEqual({ left: -10, top: -15, right: 50, bottom: 45 });
});
