import { createCanvas, ImageData } from '@napi-rs/canvas';
import type { Picture } from '../avatar/source/clip.ts';

/** Hardly to be told from the original. */
const quality = 85;

/** A JPEG at most `longSidePx` long; never larger than the picture. */
export async function encodeJpeg({ width, height, data }: Picture, longSidePx: number): Promise<Uint8Array> {
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    rgba[to] = data[from] ?? 0;
    rgba[to + 1] = data[from + 1] ?? 0;
    rgba[to + 2] = data[from + 2] ?? 0;
  }
  const whole = createCanvas(width, height);
  whole.getContext('2d').putImageData(new ImageData(rgba, width, height), 0, 0);
  const scale = Math.min(1, longSidePx / Math.max(width, height));
  if (scale === 1) return whole.encode('jpeg', quality);
  const smaller = createCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const context = smaller.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(whole, 0, 0, smaller.width, smaller.height);
  return smaller.encode('jpeg', quality);
}
