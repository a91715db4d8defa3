import { expect, test } from 'vitest';
import { writeRgba } from './i420.ts';

const width = 8;
const height = 6;

function filled(count: number, [r, g, b]: readonly [number, number, number]): Uint8Array {
  return Uint8Array.from({ length: count * 4 }, (_, i) => [r, g, b, 255][i % 4] ?? 0);
}

test.each([
  ['white', [255, 255, 255], [235, 128, 128]],
  ['black', [0, 0, 0], [16, 128, 128]],
  ['red', [255, 0, 0], [82, 90, 240]],
  ['green', [0, 255, 0], [144, 54, 34]],
  ['blue', [0, 0, 255], [41, 240, 110]],
] as const)('%s becomes the BT.601 colour browsers expect', (_, rgb, [y, u, v]) => {
  const data = new Uint8Array((width * height * 3) / 2);
  writeRgba({ data, width, height }, { x: 0, y: 0, width, height }, filled(width * height, rgb));
  expect(data.subarray(0, 48).every((value) => Math.abs(value - y) <= 1)).toBe(true);
  expect(data.subarray(48, 60).every((value) => Math.abs(value - u) <= 1)).toBe(true);
  expect(data.subarray(60).every((value) => Math.abs(value - v) <= 1)).toBe(true);
});

test('only the box is written', () => {
  const data = new Uint8Array((width * height * 3) / 2).fill(7);
  writeRgba({ data, width, height }, { x: 2, y: 2, width: 4, height: 2 }, filled(8, [255, 255, 255]));
  const written = [...data.keys()].filter((i) => data[i] !== 7);
  expect(written).toEqual([18, 19, 20, 21, 26, 27, 28, 29, 48 + 5, 48 + 6, 60 + 5, 60 + 6]);
});
