import type { Box, I420Picture } from './i420.ts';

/*
 * How far a tutor's mouth is open can be read from any picture of it, also from one that a browser received: inside the
 * mouth, and nowhere else near it, the illustrated tutors are darker than `mouthDarkBelow`. So the number of such pixels
 * in `mouthBox` is 0 for closed lips (sil, PP, and nearly so FF) and grows with the gap to about 1600 (aa); teeth count
 * as closed. A picture received at another size has the box and the count scaled with it.
 */

/** Where the mouth of an illustrated tutor is, in every frame, px of a 512 px picture. */
export const mouthBox: Box = { x: 216, y: 284, width: 80, height: 84 };
/** Luma, 0 to 255 in full range (0.299 R + 0.587 G + 0.114 B). */
export const mouthDarkBelow = 60;

/** Number of dark pixels in `mouthBox`. */
export function mouthOpening({ data, width }: I420Picture): number {
  const darkBelow = 16 + (mouthDarkBelow * 219) / 255;
  let dark = 0;
  for (let y = mouthBox.y; y < mouthBox.y + mouthBox.height; y += 1) {
    const row = data.subarray(y * width + mouthBox.x, y * width + mouthBox.x + mouthBox.width);
    dark += row.reduce((count, luma) => (luma < darkBelow ? count + 1 : count), 0);
  }
  return dark;
}
