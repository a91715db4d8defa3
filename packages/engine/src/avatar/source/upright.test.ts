import { describe, expect, test } from 'vitest';
import { scaledTo } from './clip.ts';
import { storedRegion, type Turn, turnedSize, turnOfExif, turnOfMatrix } from './upright.ts';

const stored = { width: 4, height: 3 };

/** Where the stored pixel lands in the upright picture. */
function landing(x: number, y: number, turn: Turn): [number, number] {
  const shown = turnedSize(stored, turn);
  const [right, down] = turn.transposed ? [y, x] : [x, y];
  return [turn.mirrored ? shown.width - 1 - right : right, turn.flipped ? shown.height - 1 - down : down];
}

// Corner of the upright picture that the stored upper left one lands in, and that of the stored upper right one (EXIF 2.32, table 5).
test.each([
  [1, [0, 0], [3, 0]],
  [2, [3, 0], [0, 0]],
  [3, [3, 2], [0, 2]],
  [4, [0, 2], [3, 2]],
  [5, [0, 0], [0, 3]],
  [6, [2, 0], [2, 3]],
  [7, [2, 3], [2, 0]],
  [8, [0, 3], [0, 0]],
  [0, [0, 0], [3, 0]],
  [99, [0, 0], [3, 0]],
])('EXIF orientation %i', (orientation, upperLeft, upperRight) => {
  const turn = turnOfExif(orientation);
  expect([landing(0, 0, turn), landing(3, 0, turn)]).toEqual([upperLeft, upperRight]);
});

const one = 65_536;

test.each([
  ['as it is', [one, 0, 0, 0, one, 0, 0, 0, 1 << 30], 1],
  ['a telephone held upright', [0, one, 0, -one, 0, 0, 0, 0, 1 << 30], 6],
  ['upside down', [-one, 0, 0, 0, -one, 0, 0, 0, 1 << 30], 3],
  ['a quarter to the left', [0, -one, 0, one, 0, 0, 0, 0, 1 << 30], 8],
  ['a mirror', [-one, 0, 0, 0, one, 0, 0, 0, 1 << 30], 2],
  ['nearly upright', [900, one, 0, -one, 900, 0, 0, 0, 1 << 30], 6],
  ['nothing', [], 1],
])('a display matrix: %s', (_, matrix, orientation) => {
  expect(turnOfMatrix(matrix)).toEqual(turnOfExif(orientation));
});

describe('a region of the upright picture', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('lies where its pixels are stored: orientation %i', (orientation) => {
    const turn = turnOfExif(orientation);
    const region = { x: 1, y: 0, width: 2, height: 1 };
    const { x, y, width, height } = storedRegion(region, stored, turn);
    for (let dy = 0; dy < height; dy += 1) {
      for (let dx = 0; dx < width; dx += 1) {
        const [right, down] = landing(x + dx, y + dy, turn);
        expect(right >= 1 && right < 3 && down === 0).toBe(true);
      }
    }
    expect(width * height).toBe(2);
  });
});

test.each([
  [{ width: 1920, height: 1080 }, 640, { width: 640, height: 360 }],
  [{ width: 1080, height: 1920 }, 640, { width: 360, height: 640 }],
  [{ width: 1, height: 4000 }, 640, { width: 2, height: 640 }],
  [{ width: 101, height: 101 }, 512, { width: 512, height: 512 }],
])('sizes are scaled to even numbers', (size, longSidePx, expected) => {
  expect(scaledTo(size, longSidePx)).toEqual(expected);
});
