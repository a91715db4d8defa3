import type { PixelBox } from './face-box.ts';

/* `cv2.resize` with INTER_LINEAR and INTER_LANCZOS4: neither widens its kernel when it shrinks, and edges repeat. */

export interface Pixels {
  /** Row by row, channels interleaved, 0 to 255. */
  readonly data: Uint8Array;
  /** px */
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

type Kernel = 'linear' | 'lanczos4';

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const reach = { linear: 1, lanczos4: 4 } as const;

function weightOf(kernel: Kernel, distance: number): number {
  return kernel === 'linear' ? 1 - Math.abs(distance) : sinc(distance) * sinc(distance / 4);
}

interface Line {
  readonly from: number;
  readonly to: number;
  /** Values side by side that belong together: channels, or a whole row. */
  readonly step: number;
  readonly kernel: Kernel;
}

/** Stretches every line of `values`. Pixel centres of both sizes lie over each other: x' = (x + 0.5) * from / to - 0.5. */
function stretched(values: ArrayLike<number>, { from, to, step, kernel }: Line): Float32Array {
  const lines = values.length / (from * step);
  const result = new Float32Array(lines * to * step);
  for (let index = 0; index < to; index += 1) {
    const centre = ((index + 0.5) * from) / to - 0.5;
    const first = Math.floor(centre) - reach[kernel] + 1;
    const taps = Array.from({ length: 2 * reach[kernel] }, (_, tap) => ({
      at: within(first + tap, from) * step,
      weight: weightOf(kernel, first + tap - centre),
    }));
    const sum = taps.reduce((total, { weight }) => total + weight, 0);
    for (const { at, weight } of taps) {
      for (let line = 0; line < lines; line += 1) {
        const source = line * from * step + at;
        const target = (line * to + index) * step;
        for (let place = 0; place < step; place += 1) {
          result[target + place] = (result[target + place] ?? 0) + (values[source + place] ?? 0) * (weight / sum);
        }
      }
    }
  }
  return result;
}

export function resize(picture: Pixels, to: { readonly width: number; readonly height: number; readonly kernel: Kernel }): Pixels {
  const { data, width, height, channels } = picture;
  const { kernel } = to;
  const across = stretched(data, { from: width, to: to.width, step: channels, kernel });
  const down = stretched(across, { from: height, to: to.height, step: to.width * channels, kernel });
  // Clamped arrays round half to even and saturate, as cv2 does.
  const resized = new Uint8Array(new Uint8ClampedArray(down).buffer);
  return { data: resized, width: to.width, height: to.height, channels };
}

const within = (index: number, size: number) => Math.min(size - 1, Math.max(0, index));

/** What of `box` lies beyond the picture is black. */
export function cropped({ data, width, height, channels }: Pixels, box: PixelBox): Pixels {
  const size = { width: box.right - box.left, height: box.bottom - box.top };
  const crop = new Uint8Array(size.width * size.height * channels);
  const from = Math.max(0, box.left);
  const to = Math.max(from, Math.min(width, box.right));
  for (let row = Math.max(0, box.top); row < Math.min(height, box.bottom); row += 1) {
    const line = data.subarray((row * width + from) * channels, (row * width + to) * channels);
    crop.set(line, ((row - box.top) * size.width + from - box.left) * channels);
  }
  return { data: crop, ...size, channels };
}
