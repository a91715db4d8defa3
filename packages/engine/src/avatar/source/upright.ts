import type { Size } from './clip.ts';

/** How stored pixels become a picture that stands upright: first rows and columns swapped, then left and right, then top and bottom. */
export interface Turn {
  readonly transposed: boolean;
  readonly mirrored: boolean;
  readonly flipped: boolean;
}

export const upright: Turn = { transposed: false, mirrored: false, flipped: false };

/**
 * By the display matrix of ISO 14496-12 section 6.2.2: nine numbers [a b u c d v x y w], of which a to d turn the point (p, q) into
 * (a p + c q, b p + d q). Angles between the right ones count as the nearest.
 */
export function turnOfMatrix(matrix: readonly number[]): Turn {
  const [a = 1, b = 0, , c = 0, d = 1] = matrix;
  if (Math.abs(a) + Math.abs(d) >= Math.abs(b) + Math.abs(c)) return { transposed: false, mirrored: a < 0, flipped: d < 0 };
  return { transposed: true, mirrored: c < 0, flipped: b < 0 };
}

/** By the Orientation tag of EXIF 2.32, 1 to 8. */
export function turnOfExif(orientation: number): Turn {
  return {
    transposed: orientation >= 5 && orientation <= 8,
    mirrored: [2, 3, 6, 7].includes(orientation),
    flipped: [3, 4, 7, 8].includes(orientation),
  };
}

/** Size of the upright picture. */
export function turnedSize({ width, height }: Size, turn: Turn): Size {
  return turn.transposed ? { width: height, height: width } : { width, height };
}

export interface Region extends Size {
  readonly x: number;
  readonly y: number;
}

/** Where in the stored picture of `stored` size the region of the upright one lies. */
export function storedRegion(region: Region, stored: Size, turn: Turn): Region {
  const shown = turnedSize(stored, turn);
  const x = turn.mirrored ? shown.width - region.x - region.width : region.x;
  const y = turn.flipped ? shown.height - region.y - region.height : region.y;
  return turn.transposed
    ? { x: y, y: x, width: region.height, height: region.width }
    : { x, y, width: region.width, height: region.height };
}
