import { ClipRefused } from './clip.ts';
import { exifOrientation } from './exif.ts';

/** A photo's file without what only describes it. */
export interface PhotoFile {
  /** As stored, px. */
  readonly width: number;
  readonly height: number;
  /** EXIF orientation, 1 to 8. */
  readonly orientation: number;
  /** What a decoder needs: no metadata, profiles, thumbnails, comments or further pictures. */
  readonly essence: Uint8Array;
}

const startOfScan = 0xda;
/** Baseline, extended and progressive DCT with Huffman codes (ITU-T T.81 table B.1): what cameras and browsers write. */
const commonFrames = [0xc0, 0xc1, 0xc2];
/** The other processes: lossless, hierarchical, arithmetic. */
const rareFrames = [0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf, 0xf7];

/** Throws `damaged` and `format_not_supported`. */
export function readJpeg(bytes: Uint8Array): PhotoFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Uint8Array[] = [bytes.subarray(0, 2)];
  let size: { width: number; height: number } | null = null;
  let orientation = 1;
  for (const { marker, from, to } of segments(view)) {
    const segment = bytes.subarray(from, to);
    if (rareFrames.includes(marker)) throw new ClipRefused('format_not_supported');
    if (commonFrames.includes(marker)) size = frameSize(segment);
    if (marker === 0xe1 && orientation === 1) orientation = exifOrientation(segment.subarray(4));
    if (isNeeded(marker)) kept.push(segment);
    if (marker === startOfScan) kept.push(scans(bytes, to));
  }
  if (size === null || kept.length < 4) throw new ClipRefused('damaged');
  return { ...size, orientation, essence: Buffer.concat(kept) };
}

/** Tables and frames, JFIF and Adobe's word about colours; no other application's data and no comment. */
function isNeeded(marker: number): boolean {
  return marker === 0xe0 || marker === 0xee || (marker !== 0xfe && (marker & 0xf0) !== 0xe0);
}

interface Segment {
  readonly marker: number;
  /** Of the marker itself. */
  readonly from: number;
  readonly to: number;
}

/** Up to and with the first scan's header. */
function* segments(view: DataView): Generator<Segment> {
  let at = 2;
  for (;;) {
    while (at + 4 <= view.byteLength && view.getUint8(at) === 0xff && view.getUint8(at + 1) === 0xff) at += 1;
    if (at + 4 > view.byteLength || view.getUint8(at) !== 0xff) throw new ClipRefused('damaged');
    const marker = view.getUint8(at + 1);
    const to = at + 2 + view.getUint16(at + 2);
    if (to > view.byteLength || to < at + 4) throw new ClipRefused('damaged');
    yield { marker, from: at, to };
    if (marker === startOfScan) return;
    at = to;
  }
}

function frameSize(segment: Uint8Array): { width: number; height: number } {
  if (segment.length < 10) throw new ClipRefused('damaged');
  if (segment[4] !== 8) throw new ClipRefused('format_not_supported');
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  return { width: view.getUint16(7), height: view.getUint16(5) };
}

/** From the first scan to the end of the picture. A picture that does not end was cut off, and a decoder would make up the rest. */
function scans(bytes: Uint8Array, from: number): Uint8Array {
  const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(Buffer.from([0xff, 0xd9]), from);
  if (end < 0) throw new ClipRefused('damaged');
  return bytes.subarray(from, end + 2);
}
