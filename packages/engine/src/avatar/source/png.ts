import { ClipRefused } from './clip.ts';
import { orientationOfTiff } from './exif.ts';
import type { PhotoFile } from './jpeg.ts';

/** Chunks that make the picture. An animation's further frames, profiles and texts (compressed, some of them) are none of our business. */
const needed = ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'];

/** PNG, third edition, section 5. Throws `damaged`. */
export function readPng(bytes: Uint8Array): PhotoFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Uint8Array[] = [bytes.subarray(0, 8)];
  const seen = new Set<string>();
  let size: { width: number; height: number } | null = null;
  let orientation = 1;
  let at = 8;
  while (!seen.has('IEND')) {
    if (at + 12 > bytes.length) throw new ClipRefused('damaged');
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const end = at + 12 + length;
    if (end > bytes.length) throw new ClipRefused('damaged');
    if (type === 'IHDR' && length === 13) size = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) };
    if (type === 'eXIf') orientation = orientationOfTiff(bytes.subarray(at + 8, end - 4));
    if (needed.includes(type)) kept.push(bytes.subarray(at, end));
    seen.add(type);
    at = end;
  }
  if (size === null || !seen.has('IDAT')) throw new ClipRefused('damaged');
  return { ...size, orientation, essence: Buffer.concat(kept) };
}
