import type { LegacyLatents } from '../legacy/legacy-latents.ts';

/*
 * `latents.bin`: what a predecessor's avatar brought along for MuseTalk. For each distinct frame the box (x, y, width, height, px) and 8192 latents,
 * Float32, little endian; a box without width where there are none.
 */

const boxNumbers = 4;
const latentNumbers = 8 * 32 * 32;
const numbers = boxNumbers + latentNumbers;

export function latentsFile(frames: readonly (LegacyLatents | null)[]): Uint8Array {
  const file = new DataView(new ArrayBuffer(frames.length * numbers * 4));
  for (const [nth, frame] of frames.entries()) {
    if (frame === null) continue;
    const { x, y, width, height } = frame.box;
    for (const [i, value] of [x, y, width, height, ...frame.latents].entries()) file.setFloat32((nth * numbers + i) * 4, value, true);
  }
  return new Uint8Array(file.buffer);
}

/** Throws `RangeError` when it is not of whole frames. */
export function latentsOf(file: Uint8Array): (LegacyLatents | null)[] {
  const frames = file.length / (numbers * 4);
  if (!Number.isInteger(frames)) throw new RangeError('the latents are not of whole frames');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return Array.from({ length: frames }, (_, nth) => {
    const at = (i: number) => view.getFloat32((nth * numbers + i) * 4, true);
    const box = { x: at(0), y: at(1), width: at(2), height: at(3) };
    return box.width === 0 ? null : { box, latents: Float32Array.from({ length: latentNumbers }, (_, i) => at(boxNumbers + i)) };
  });
}
