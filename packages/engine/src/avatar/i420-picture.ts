import type { Picture } from './source/clip.ts';

/** A square I420 picture (BT.601, video range) as RGB24. */
export function rgbOfI420(i420: Uint8Array, size: number): Picture {
  const data = new Uint8ClampedArray(size * size * 3);
  const half = size >> 1;
  for (let row = 0; row < size; row += 1) {
    const chroma = size * size + (row >> 1) * half;
    for (let column = 0; column < size; column += 1) {
      const luma = 1.164 * ((i420[row * size + column] ?? 0) - 16);
      const at = chroma + (column >> 1);
      const u = (i420[at] ?? 0) - 128;
      const v = (i420[at + half * half] ?? 0) - 128;
      const to = 3 * (row * size + column);
      data[to] = luma + 1.596 * v;
      data[to + 1] = luma - 0.392 * u - 0.813 * v;
      data[to + 2] = luma + 2.017 * u;
    }
  }
  return { width: size, height: size, data: new Uint8Array(data.buffer) };
}
