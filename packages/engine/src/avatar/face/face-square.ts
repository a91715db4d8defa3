import type { Picture } from '../source/clip.ts';

/*
 * The square of a picture that a network is shown of a face: upright, of one size whatever the face's, and smoothed before it is
 * made smaller, as what is skipped between samples would come back as jitter of the landmarks.
 */

/** A square of a picture. */
export interface FaceSquare {
  /** Its middle, px. */
  readonly x: number;
  readonly y: number;
  /** px */
  readonly side: number;
  /** rad, clockwise in the picture */
  readonly roll: number;
  /** Whether it is shown left for right. */
  readonly mirrored: boolean;
}

/** The bounding box of the landmarks. */
export function boxOf(landmarks: Float32Array): {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
} {
  const xs = landmarks.filter((_, i) => i % 2 === 0);
  const ys = landmarks.filter((_, i) => i % 2 === 1);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

/** Around the landmarks, turned so that the eyes are level; `margin`: side over the larger side of the landmarks' box. */
export function squareAround(landmarks: Float32Array, margin: number): FaceSquare {
  const roll = rollOf(landmarks);
  const level = turned(landmarks, { x: 0, y: 0, roll: -roll });
  const { x, y, width, height } = boxOf(level);
  const middle = turned(Float32Array.of(x + width / 2, y + height / 2), { x: 0, y: 0, roll });
  return { x: middle[0] ?? 0, y: middle[1] ?? 0, side: margin * Math.max(width, height), roll, mirrored: false };
}

/** RGB, `size` x `size`, 0 to 255. Beyond the picture its edge goes on. */
export function cut(picture: Picture, square: FaceSquare, size: number): Float32Array {
  const step = square.side / size;
  const samples = Math.min(4, Math.max(1, Math.round(step)));
  const turn = { cos: Math.cos(square.roll) * step, sin: Math.sin(square.roll) * step };
  const pixels = new Float32Array(size * size * 3);
  for (let row = 0; row < size * samples; row += 1) {
    const v = (row + 0.5) / samples - size / 2;
    for (let column = 0; column < size * samples; column += 1) {
      const along = (column + 0.5) / samples - size / 2;
      const u = square.mirrored ? -along : along;
      const x = square.x - 0.5 + u * turn.cos - v * turn.sin;
      const y = square.y - 0.5 + u * turn.sin + v * turn.cos;
      addSample({ pixels, at: (((row / samples) | 0) * size + ((column / samples) | 0)) * 3, share: 1 / samples ** 2 }, picture, { x, y });
    }
  }
  return pixels;
}

/** Between four pixels, or the last ones before an edge. */
function addSample(
  { pixels, at, share }: { readonly pixels: Float32Array; readonly at: number; readonly share: number },
  { data, width, height }: Picture,
  place: { readonly x: number; readonly y: number },
): void {
  const x = Math.min(width - 1.001, Math.max(0, place.x));
  const y = Math.min(height - 1.001, Math.max(0, place.y));
  const [left, top] = [x | 0, y | 0];
  const [alongX, alongY] = [x - left, y - top];
  const from = (top * width + left) * 3;
  const below = from + width * 3;
  for (let channel = 0; channel < 3; channel += 1) {
    const a = data[from + channel] ?? 0;
    const c = data[below + channel] ?? 0;
    const upper = a + ((data[from + 3 + channel] ?? 0) - a) * alongX;
    const lower = c + ((data[below + 3 + channel] ?? 0) - c) * alongX;
    pixels[at + channel] = (pixels[at + channel] ?? 0) + share * (upper + (lower - upper) * alongY);
  }
}

/** Landmarks of a cut (0 to 1) as px of its picture. */
export function inPicture(landmarks: Float32Array, { x, y, side, roll, mirrored }: FaceSquare): Float32Array {
  const inSquare = landmarks.map((value, i) => (value - 0.5) * side * (mirrored && i % 2 === 0 ? -1 : 1));
  return turned(mirrored ? swapped(inSquare) : inSquare, { x, y, roll });
}

function turned(points: Float32Array, { x, y, roll }: { readonly x: number; readonly y: number; readonly roll: number }): Float32Array {
  const [cos, sin] = [Math.cos(roll), Math.sin(roll)];
  return points.map((value, i) =>
    i % 2 === 0 ? x + value * cos - (points[i + 1] ?? 0) * sin : y + (points[i - 1] ?? 0) * sin + value * cos,
  );
}

function rollOf(landmarks: Float32Array): number {
  const mean = (first: number, axis: number) =>
    Array.from({ length: 6 }, (_, i) => landmarks[2 * (first + i) + axis] ?? 0).reduce((sum, px) => sum + px, 0) / 6;
  return Math.atan2(mean(42, 1) - mean(36, 1), mean(42, 0) - mean(36, 0));
}

/** For each of the 68 points the one that takes its place in a mirror. */
const mirrorOf: readonly number[] = [
  ...[16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
  ...[26, 25, 24, 23, 22, 21, 20, 19, 18, 17],
  ...[27, 28, 29, 30, 35, 34, 33, 32, 31],
  ...[45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],
  ...[54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55],
  ...[64, 63, 62, 61, 60, 67, 66, 65],
];

function swapped(points: Float32Array): Float32Array {
  return points.map((_, i) => points[2 * (mirrorOf[i >> 1] ?? 0) + (i % 2)] ?? 0);
}
