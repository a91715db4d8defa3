import type { BlendMask } from './blend.ts';
import type { PixelBox } from './face-box.ts';
import type { Pixels } from './resize.ts';

/*
 * How a made face gets into a frame in motion: `withFace` (blend.ts) in I420, BT.601 video range, and only where the mask lets it. The made
 * face becomes a patch where it was drawn; whoever has the frame pastes it.
 */

/** Where a made face shows in one frame. Edges are even, px. */
export interface MouthMask {
  /** Where the made face of 256 x 256 belongs. */
  readonly box: PixelBox;
  /** The part of the box that can change. */
  readonly part: PixelBox;
  /** One byte per pixel of the part: 255 shows the made face alone. */
  readonly luma: Uint8Array;
  /** One byte for each two by two of them. */
  readonly chroma: Uint8Array;
}

/** Null: nothing of the frame may change. `size`: width and height of the frame, px, even. */
export function mouthMask({ box, square, alpha }: BlendMask, size: number): MouthMask | null {
  const stride = square.right - square.left;
  const at = (column: number, row: number) =>
    column >= box.left && column < box.right && row >= box.top && row < box.bottom
      ? (alpha[(row - square.top) * stride + column - square.left] ?? 0)
      : 0;
  const rows = range(box.top, box.bottom).filter((row) => range(box.left, box.right).some((column) => at(column, row) > 0));
  const [first] = rows;
  const last = rows.at(-1);
  if (first === undefined || last === undefined) return null;
  const part = {
    left: 2 * Math.floor(box.left / 2),
    top: 2 * Math.floor(first / 2),
    right: Math.min(size, 2 * Math.ceil(box.right / 2)),
    bottom: Math.min(size, 2 * Math.ceil((last + 1) / 2)),
  };
  const width = part.right - part.left;
  const luma = Uint8Array.from({ length: width * (part.bottom - part.top) }, (_, i) =>
    at(part.left + (i % width), part.top + Math.floor(i / width)),
  );
  return maskOf({ box, part, luma });
}

/** The chroma of a mask follows from its luma. */
export function maskOf({ box, part, luma }: Omit<MouthMask, 'chroma'>): MouthMask {
  const width = part.right - part.left;
  const half = width / 2;
  const chroma = Uint8Array.from({ length: luma.length / 4 }, (_, i) => {
    const corner = 2 * Math.floor(i / half) * width + 2 * (i % half);
    return ((luma[corner] ?? 0) + (luma[corner + 1] ?? 0) + (luma[corner + width] ?? 0) + (luma[corner + width + 1] ?? 0) + 2) >> 2;
  });
  return { box, part, luma, chroma };
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** Where a patch belongs; without what it is mixed in by. */
export type PatchPlace = Pick<MouthMask, 'box' | 'part'>;

/** The planes Y, U and V of the part, one after the other, as the made face (RGB, 256 x 256) has them. */
export function patchOf(face: Pixels, { box, part }: PatchPlace): Uint8Array {
  const width = part.right - part.left;
  const height = part.bottom - part.top;
  const columns = taps({ from: part.left - box.left, count: width, size: box.right - box.left, pixels: face.width });
  const lines = taps({ from: part.top - box.top, count: height, size: box.bottom - box.top, pixels: face.height });
  const planes = new Uint8Array((width * height * 3) / 2);
  const two = [new Float32Array(3 * width), new Float32Array(3 * width)] as const;
  for (let row = 0; row < height; row += 2) {
    for (const [nth, line] of two.entries()) {
      readLine(line, face, { line: tapAt(lines, row + nth), columns });
      writeLuma(planes, (row + nth) * width, line);
    }
    writeChroma(planes, { at: width * height + (row / 2) * (width / 2), plane: (width * height) / 4 }, two);
  }
  return planes;
}

interface Tap {
  readonly near: number;
  readonly far: number;
  /** Of the far one, 0 to 1. */
  readonly share: number;
}

interface Taps {
  readonly near: Uint16Array;
  readonly far: Uint16Array;
  readonly share: Float32Array;
}

/** `cv2.resize` with INTER_LINEAR: pixel centres of both sizes lie over each other, and edges repeat. */
function taps({
  from,
  count,
  size,
  pixels,
}: {
  readonly from: number;
  readonly count: number;
  readonly size: number;
  readonly pixels: number;
}): Taps {
  const found = { near: new Uint16Array(count), far: new Uint16Array(count), share: new Float32Array(count) };
  for (let i = 0; i < count; i += 1) {
    const centre = Math.min(pixels - 1, Math.max(0, ((from + i + 0.5) * pixels) / size - 0.5));
    const near = Math.floor(centre);
    found.near[i] = near;
    found.far[i] = Math.min(pixels - 1, near + 1);
    found.share[i] = centre - near;
  }
  return found;
}

function tapAt({ near, far, share }: Taps, i: number): Tap {
  return { near: near[i] ?? 0, far: far[i] ?? 0, share: share[i] ?? 0 };
}

function readLine(into: Float32Array, { data, width }: Pixels, { line, columns }: { readonly line: Tap; readonly columns: Taps }): void {
  const upper = line.near * width;
  const lower = line.far * width;
  for (let column = 0; column < columns.near.length; column += 1) {
    const left = columns.near[column] ?? 0;
    const right = columns.far[column] ?? 0;
    const share = columns.share[column] ?? 0;
    for (let channel = 0; channel < 3; channel += 1) {
      const above = mixed(data[(upper + left) * 3 + channel] ?? 0, data[(upper + right) * 3 + channel] ?? 0, share);
      const below = mixed(data[(lower + left) * 3 + channel] ?? 0, data[(lower + right) * 3 + channel] ?? 0, share);
      into[column * 3 + channel] = mixed(above, below, line.share);
    }
  }
}

function mixed(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}

function writeLuma(planes: Uint8Array, at: number, line: Float32Array): void {
  for (let i = 0; 3 * i < line.length; i += 1) {
    planes[at + i] = 16.5 + (66 * (line[3 * i] ?? 0) + 129 * (line[3 * i + 1] ?? 0) + 25 * (line[3 * i + 2] ?? 0)) / 256;
  }
}

function writeChroma(
  planes: Uint8Array,
  { at, plane }: { readonly at: number; readonly plane: number },
  [upper, lower]: readonly [Float32Array, Float32Array],
): void {
  for (let i = 0; 6 * i < upper.length; i += 1) {
    const sum = (channel: number) =>
      (upper[6 * i + channel] ?? 0) + (upper[6 * i + 3 + channel] ?? 0) + (lower[6 * i + channel] ?? 0) + (lower[6 * i + 3 + channel] ?? 0);
    const [r, g, b] = [sum(0), sum(1), sum(2)];
    planes[at + i] = 128.5 + (-38 * r - 74 * g + 112 * b) / 1024;
    planes[at + plane + i] = 128.5 + (112 * r - 94 * g - 18 * b) / 1024;
  }
}

export interface Pasted {
  readonly mask: MouthMask;
  /** Of `patchOf`. */
  readonly planes: Uint8Array;
  /** 1: as made; less: on its way back to the frame. */
  readonly strength: number;
}

/** Mixes a patch into an I420 picture of `size` x `size`, in place. */
export function pasteMouth(picture: Uint8Array, size: number, { mask, planes, strength }: Pasted): void {
  const { part, luma, chroma } = mask;
  const half = size / 2;
  const lumaEnd = luma.length;
  mixPlane(picture, { alpha: luma, made: planes.subarray(0, lumaEnd), strength, at: part.top * size + part.left, stride: size }, part);
  const halved = { left: part.left / 2, top: part.top / 2, right: part.right / 2, bottom: part.bottom / 2 };
  for (const nth of [0, 1]) {
    const made = planes.subarray(lumaEnd + nth * chroma.length, lumaEnd + (nth + 1) * chroma.length);
    const at = size * size + nth * half * half + halved.top * half + halved.left;
    mixPlane(picture, { alpha: chroma, made, strength, at, stride: half }, halved);
  }
}

interface PlaneMix {
  readonly alpha: Uint8Array;
  readonly made: Uint8Array;
  readonly strength: number;
  readonly at: number;
  readonly stride: number;
}

function mixPlane(picture: Uint8Array, { alpha, made, strength, at, stride }: PlaneMix, { left, top, right, bottom }: PixelBox): void {
  const width = right - left;
  for (let row = 0; row < bottom - top; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const weight = ((alpha[row * width + column] ?? 0) / 255) * strength;
      if (weight === 0) continue;
      const to = at + row * stride + column;
      const before = picture[to] ?? 0;
      picture[to] = Math.round(before + ((made[row * width + column] ?? 0) - before) * weight);
    }
  }
}
