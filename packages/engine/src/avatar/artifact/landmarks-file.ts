import { landmarkCount } from '../warp/filmed-face.ts';

const numbers = 2 * landmarkCount;
const width = Float32Array.BYTES_PER_ELEMENT;

export function landmarksFile(landmarks: readonly Float32Array[]): Uint8Array {
  const file = new DataView(new ArrayBuffer(landmarks.length * numbers * width));
  for (const [frame, points] of landmarks.entries()) {
    for (const [i, px] of points.entries()) file.setFloat32((frame * numbers + i) * width, px, true);
  }
  return new Uint8Array(file.buffer);
}

/** Throws `RangeError` when it is not of whole frames. */
export function landmarksOf(file: Uint8Array): Float32Array[] {
  const frames = file.length / (numbers * width);
  if (!Number.isInteger(frames)) throw new RangeError('the landmarks are not of whole frames');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return Array.from({ length: frames }, (_, frame) =>
    Float32Array.from({ length: numbers }, (_, i) => view.getFloat32((frame * numbers + i) * width, true)),
  );
}
