import { expect, test } from 'vitest';
import { cropAround } from './crop.ts';

const hd = { width: 1920, height: 1080 };
const box = { x: 900, y: 300, width: 210, height: 210 };

test('a face fills 42 % of the height, with room above it', () => {
  const square = cropAround([box], hd);
  expect(box.height / square.side).toBeCloseTo(0.42, 2);
  expect(square.x + square.side / 2).toBeCloseTo(box.x + box.width / 2, -1);
  expect((box.y - square.y) / square.side).toBeGreaterThan(0.3);
  expect((square.y + square.side - box.y - box.height) / square.side).toBeGreaterThan(0.2);
});

test.each([
  ['at the left edge', { ...box, x: -40 }],
  ['at the right edge', { ...box, x: 1800 }],
  ['at the top', { ...box, y: 10 }],
  ['at the bottom', { ...box, y: 900 }],
  ['larger than the clip', { x: 500, y: 0, width: 1000, height: 1080 }],
])('around a face %s the square stays inside the clip', (_name, face) => {
  const { x, y, side } = cropAround([face], hd);
  expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
  expect(x + side).toBeLessThanOrEqual(hd.width);
  expect(y + side).toBeLessThanOrEqual(hd.height);
  expect([x, y, side].every((px) => px % 2 === 0)).toBe(true);
});

test('a portrait is cut as wide as it is', () => {
  expect(cropAround([{ x: 100, y: 500, width: 500, height: 500 }], { width: 720, height: 1280 })).toMatchObject({ x: 0, side: 720 });
});

test('a head that wanders stays inside', () => {
  const way = [0, 150, 300].map((px) => ({ ...box, x: box.x + px }));
  const { x, side } = cropAround(way, hd);
  for (const { x: left, width } of way) {
    expect(left).toBeGreaterThan(x);
    expect(left + width).toBeLessThan(x + side);
  }
});
