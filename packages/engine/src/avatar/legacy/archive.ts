import { ClipRefused } from '../source/clip.ts';

/*
 * A folder of the predecessor as one file, so that it comes, is hashed and goes like any clip: a tar of POSIX.1-1988 (ustar), the same bytes
 * for the same content on every machine, since it holds no owner and no time. What `vtutor avatars import` and `avatars.create` make of
 * the folder; docs/operations/avatars.md says how to make it with GNU tar.
 */

/** Of a face in each frame the box: a pickled list. */
export const boxesName = 'coords.pkl';
/** Of a face in each frame the latents: a list of tensors. */
export const latentsName = 'latents.pt';
/** Holds the frames, `%08d.png`. */
export const framesFolder = 'full_imgs';
export const frameShape = /^\d{8}\.png$/;
/** To and fro, of the longest clip that can be allowed: 10 min at 25 fps. */
export const mostFrames = 30_000;

const blockBytes = 512;

export interface ArchiveEntry {
  readonly name: string;
  readonly bytes: number;
}

/** An entry's content in the file. */
export interface ArchivedFile extends ArchiveEntry {
  readonly at: number;
}

/** Of a file of the archive, what comes before its content: the fields as GNU tar writes them. */
export function headerOf({ name, bytes }: ArchiveEntry): Buffer {
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0, 100, 'latin1');
  const numbers = [
    { at: 100, digits: 7, value: 0o600 },
    { at: 108, digits: 7, value: 0 },
    { at: 116, digits: 7, value: 0 },
    { at: 124, digits: 11, value: bytes },
    { at: 136, digits: 11, value: 0 },
    { at: 329, digits: 7, value: 0 },
    { at: 337, digits: 7, value: 0 },
  ];
  for (const { at, digits, value } of numbers) header.write(octal(value, digits), at, digits, 'latin1');
  // The checksum counts itself as blanks.
  header.write('        0', 148, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** Noughts after a content of so many bytes. */
export function paddingOf(bytes: number): Buffer {
  return Buffer.alloc((blockBytes - (bytes % blockBytes)) % blockBytes);
}

/** After the last file. */
export const archiveEnd: Buffer = Buffer.alloc(2 * blockBytes);

/** Bytes of the whole archive. */
export function archiveBytes(entries: readonly ArchiveEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + blockBytes + bytes + paddingOf(bytes).length, archiveEnd.length);
}

export interface LegacyArchive {
  readonly boxes: ArchivedFile;
  readonly latents: ArchivedFile;
  /** In the order of the clip. */
  readonly frames: readonly ArchivedFile[];
}

/** A file that can be read anywhere. */
export interface Readable {
  readonly bytes: number;
  /** Fewer bytes at the end of the file. */
  read(at: number, length: number): Uint8Array;
}

/** The files in the order in which they are packed, and nothing else. Throws `ClipRefused`. */
export function readArchive(file: Readable): LegacyArchive {
  const [boxes, latents, ...frames] = filesOf(file);
  if (boxes?.name !== boxesName || latents?.name !== latentsName || frames.length === 0) throw new ClipRefused('damaged');
  const names = frames.map(({ name }) => name);
  const isFrame = (name: string) => name.startsWith(`${framesFolder}/`) && frameShape.test(name.slice(framesFolder.length + 1));
  if (!names.every((name, i) => isFrame(name) && name > (names[i - 1] ?? ''))) throw new ClipRefused('damaged');
  return { boxes, latents, frames };
}

function filesOf({ read, bytes: total }: Readable): ArchivedFile[] {
  const files: ArchivedFile[] = [];
  for (let at = 0; ; ) {
    const header = Buffer.from(read(at, blockBytes));
    if (header.length < blockBytes) throw new ClipRefused('damaged');
    if (header[0] === 0) {
      if (at + archiveEnd.length !== total || !archiveEnd.equals(read(at, archiveEnd.length))) throw new ClipRefused('damaged');
      return files;
    }
    const name = header.toString('latin1', 0, header.indexOf(0));
    const bytes = Number.parseInt(header.toString('latin1', 124, 135), 8);
    // One that differs in any field was not made by an import.
    if (!(bytes > 0) || !headerOf({ name, bytes }).equals(header)) throw new ClipRefused('damaged');
    if (files.length === mostFrames + 2) throw new ClipRefused('too_heavy');
    files.push({ name, bytes, at: at + blockBytes });
    at += blockBytes + bytes + paddingOf(bytes).length;
  }
}

/** MuseTalk's own program keeps its frames to and fro: the way back shows nothing new, and is known by the length of its files. */
export function forth(frames: readonly ArchivedFile[]): readonly ArchivedFile[] {
  const isMirrored = frames.every(({ bytes }, i) => bytes === frames.at(-1 - i)?.bytes);
  const isStill = frames.every(({ bytes }) => bytes === frames[0]?.bytes);
  return isMirrored && !isStill && frames.length % 2 === 0 ? frames.slice(0, frames.length / 2) : frames;
}
