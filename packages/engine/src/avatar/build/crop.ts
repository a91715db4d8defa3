import type { Size, Square } from '../source/clip.ts';

/** Of the loop's height: what 68 points cover of a face, from brows to chin. Hair and shoulders have the rest. */
const faceShare = 0.42;
/** Where the middle of that is, from the top: the forehead and the hair are above it. */
const faceMiddle = 0.54;
/** The face may wander so far that brows to chin fill this much of the height, and cheek to cheek of the width. */
const mostShare = 0.66;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One square for all frames, as large as the clip allows: head and shoulders around a face that moves. px of the clip, even. */
export function cropAround(boxes: readonly Box[], clip: Size): Square {
  const left = Math.min(...boxes.map(({ x }) => x));
  const right = Math.max(...boxes.map(({ x, width }) => x + width));
  const top = Math.min(...boxes.map(({ y }) => y));
  const bottom = Math.max(...boxes.map(({ y, height }) => y + height));
  const heights = boxes.map(({ height }) => height).toSorted((a, b) => a - b);
  const wished = Math.max((heights[heights.length >> 1] ?? 0) / faceShare, (bottom - top) / mostShare, (right - left) / mostShare);
  const side = even(Math.min(wished, clip.width, clip.height));
  return {
    x: even(within((left + right) / 2 - side / 2, clip.width - side)),
    y: even(within((top + bottom) / 2 - side * faceMiddle, clip.height - side)),
    side,
  };
}

function within(value: number, most: number): number {
  return Math.min(Math.max(0, value), most);
}

function even(px: number): number {
  return Math.floor(px / 2) * 2;
}
