import { blendSquare, type PixelBox } from './face-box.ts';
import { type MaskMode, parsingMask, parsingSize } from './parsing-mask.ts';
import { cropped, type Pixels, resize } from './resize.ts';

/* How MuseTalk's face gets into the picture: musetalk/utils/blending.py upstream. */

export interface BlendMask {
  readonly box: PixelBox;
  readonly square: PixelBox;
  /** One byte per pixel of the square: 255 shows the made face alone. */
  readonly alpha: Uint8Array;
}

export interface MaskSource {
  readonly box: PixelBox;
  /** Of the square around the box, [512, 512]. */
  readonly classes: Uint8Array;
  /** Default 'jaw'. */
  readonly mode?: MaskMode;
}

/** Above this part of the square nothing is replaced. */
const upperPart = 0.5;
/** Of the square's width. */
const blurPart = 0.1;

export function blendMask({ box, classes, mode = 'jaw' }: MaskSource): BlendMask {
  const square = blendSquare(box);
  const width = square.right - square.left;
  const height = square.bottom - square.top;
  const parsed: Pixels = { data: parsingMask(classes, mode), width: parsingSize, height: parsingSize, channels: 1 };
  const { data } = resize(parsed, { width, height, kernel: 'linear' });
  const boundary = Math.trunc(height * upperPart);
  const kept = data.map((value, index) => {
    const column = (index % width) + square.left;
    const row = Math.floor(index / width);
    const inBox = column >= box.left && column < box.right && row + square.top >= box.top && row + square.top < box.bottom;
    return inBox && row >= boundary ? value : 0;
  });
  const size = 2 * Math.floor(Math.floor(blurPart * width) / 2) + 1;
  return { box, square, alpha: blurred(kept, { width, height, size }) };
}

/** `cv2.GaussianBlur` with sigma 0: sigma = 0.3 ((size - 1) / 2 - 1) + 0.8; edges mirror without repeating themselves. */
function blurred(mask: Uint8Array, { width, height, size }: { readonly width: number; readonly height: number; readonly size: number }) {
  const half = (size - 1) / 2;
  const sigma = 0.3 * (half - 1) + 0.8;
  const raw = Array.from({ length: size }, (_, index) => Math.exp(-((index - half) ** 2) / (2 * sigma * sigma)));
  const sum = raw.reduce((total, weight) => total + weight, 0);
  const weights = raw.map((weight) => weight / sum);
  const along = (source: Float32Array, line: { readonly length: number; readonly step: number }) =>
    source.map((_, index) => {
      const place = Math.floor(index / line.step) % line.length;
      const start = index - place * line.step;
      return weights.reduce(
        (total, weight, tap) => total + weight * (source[start + mirrored(place + tap - half, line.length) * line.step] ?? 0),
        0,
      );
    });
  const across = along(Float32Array.from(mask), { length: width, step: 1 });
  return Uint8Array.from(along(across, { length: height, step: width }), (value) => Math.round(value));
}

function mirrored(index: number, size: number): number {
  const near = index < 0 ? -index : index;
  return near >= size ? 2 * (size - 1) - near : near;
}

/** What the encoder sees of a frame: 256 x 256. */
export function faceOf(frame: Pixels, box: PixelBox): Pixels {
  return resize(cropped(frame, box), { width: faceSize, height: faceSize, kernel: 'lanczos4' });
}

export const faceSize = 256;

/**
 * The frame with the made face in it; `face`: 256 x 256. Only the box changes: around it, upstream blends the
 * frame with itself.
 */
export function withFace(frame: Pixels, face: Pixels, { box, square, alpha }: BlendMask): Pixels {
  const fitted = resize(face, { width: box.right - box.left, height: box.bottom - box.top, kernel: 'linear' });
  const data = frame.data.slice();
  const squareWidth = square.right - square.left;
  for (let row = box.top; row < box.bottom; row += 1) {
    for (let column = box.left; column < box.right; column += 1) {
      const part = (alpha[(row - square.top) * squareWidth + column - square.left] ?? 0) / 255;
      if (part === 0) continue;
      const at = (row * frame.width + column) * 3;
      const from = ((row - box.top) * fitted.width + column - box.left) * 3;
      for (let channel = 0; channel < 3; channel += 1) {
        const made = fitted.data[from + channel] ?? 0;
        data[at + channel] = Math.round(made * part + (data[at + channel] ?? 0) * (1 - part));
      }
    }
  }
  return { ...frame, data };
}
