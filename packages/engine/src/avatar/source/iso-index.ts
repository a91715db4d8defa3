import { ClipRefused } from './clip.ts';

/** Bytes `at` to `at + length` of the file; fewer at its end. */
export type ReadAt = (at: number, length: number) => Uint8Array;

/** Of all tracks: an hour of film with sound has a tenth of it, and an index of as many takes 100 MB. */
const maxSamples = 4_000_000;
/** Each is gone through for every sample. */
const maxEdits = 256;
/** Bytes of everything that is not sound or pictures. */
const maxIndexBytes = 64 * 1024 * 1024;
const maxBoxes = 100_000;

/**
 * Looks through an ISO 14496-12 file's index before a demuxer expands it. A few bytes may claim billions of samples there, in tables that
 * need no space (constant size, runs), and a reader that believes them needs memory for all. Throws `too_heavy`, or
 * `format_not_supported` for QuickTime's compressed index, which may claim as much of its own size.
 *
 * Tables are found by their names wherever they stand: a demuxer that descends into a box which this one does not know finds no more.
 */
export function checkIndex(readAt: ReadAt, fileBytes: number): void {
  let samples = 0;
  let indexBytes = 0;
  let boxes = 0;
  for (const { from, to, isMedia } of topLevelBoxes(readAt, fileBytes)) {
    boxes += 1;
    if (boxes > maxBoxes) throw new ClipRefused('too_heavy');
    if (isMedia) continue;
    indexBytes += to - from;
    if (indexBytes > maxIndexBytes) throw new ClipRefused('too_heavy');
    samples += samplesIn(readAt(from, to - from));
    if (samples > maxSamples) throw new ClipRefused('too_heavy');
  }
}

interface Box {
  readonly from: number;
  readonly to: number;
  readonly isMedia: boolean;
}

function* topLevelBoxes(readAt: ReadAt, fileBytes: number): Generator<Box> {
  let at = 0;
  while (at + 8 <= fileBytes) {
    const head = readAt(at, 16);
    if (head.length < 8) return;
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const size = boxSize(view, fileBytes - at);
    if (size < 8) return;
    const to = Math.min(fileBytes, at + size);
    yield { from: at, to, isMedia: String.fromCharCode(...head.subarray(4, 8)) === 'mdat' };
    at = to;
  }
}

/** 0: to the end of the file; 1: 64 bits follow. */
function boxSize(view: DataView, left: number): number {
  const size = view.getUint32(0);
  if (size === 0) return left;
  if (size === 1) return view.byteLength < 16 ? 0 : Number(view.getBigUint64(8));
  return size;
}

/** Bytes from a table's name to the number of its entries. */
const countAt = { stsz: 12, stz2: 12, trun: 8, stts: 8, ctts: 8, elst: 8 } as const;

function samplesIn(bytes: Uint8Array): number {
  const box = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (box.includes('cmov', 0, 'latin1')) throw new ClipRefused('format_not_supported');
  if (greatest(box, 'elst') > maxEdits) throw new ClipRefused('too_heavy');
  const listed = total(box, 'stsz') + total(box, 'stz2') + total(box, 'trun');
  return Math.max(listed, runs(box, 'stts'), runs(box, 'ctts'));
}

function* tables(box: Buffer, name: keyof typeof countAt): Generator<{ count: number; from: number }> {
  for (let at = box.indexOf(name, 0, 'latin1'); at >= 0; at = box.indexOf(name, at + 4, 'latin1')) {
    const from = at + countAt[name];
    if (from + 4 <= box.length) yield { count: box.readUInt32BE(from), from: from + 4 };
  }
}

function total(box: Buffer, name: 'stsz' | 'stz2' | 'trun'): number {
  let sum = 0;
  for (const { count } of tables(box, name)) sum += count;
  return sum;
}

function greatest(box: Buffer, name: 'elst'): number {
  let most = 0;
  for (const { count } of tables(box, name)) most = Math.max(most, count);
  return most;
}

/** Tables of runs: how often, then what. */
function runs(box: Buffer, name: 'stts' | 'ctts'): number {
  let sum = 0;
  for (const { count, from } of tables(box, name)) {
    const end = Math.min(box.length - 8, from + (count - 1) * 8);
    for (let at = from; at <= end && sum <= maxSamples; at += 8) sum += box.readUInt32BE(at);
  }
  return sum;
}
