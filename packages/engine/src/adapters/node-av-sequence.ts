import { type ArchivedFile, forth, readArchive } from '../avatar/legacy/archive.ts';
import { readLegacyFaces } from '../avatar/legacy/read-faces.ts';
import { type ClipFacts, type ClipLimits, ClipRefused, maxStillBytes } from '../avatar/source/clip.ts';
import { tickMs } from '../avatar/source/constant-rate.ts';
import type { ClipFile } from './node-av-clip-file.ts';
import type { ShownFrame } from './node-av-frames.ts';
import { decodePng } from './node-av-photo.ts';

/** The frames of an archive of the predecessor as a film of 25 a second, which is how it played them. */
export interface Sequence {
  readonly file: ClipFile;
  readonly limits: ClipLimits;
  readonly signal: AbortSignal;
}

/** What the film is, once all that belongs to it was found to be there. Throws `ClipRefused`. */
export async function probeSequence({ file, limits }: Sequence): Promise<Pick<ClipFacts, 'width' | 'height' | 'durationMs'>> {
  const frames = framesOf(file, limits);
  readLegacyFaces(file);
  const [first] = frames;
  if (first === undefined) throw new ClipRefused('damaged');
  using frame = await decodePng(read(file, first), limits);
  return { width: frame.width, height: frame.height, durationMs: frames.length * tickMs };
}

/** From the frame of this index on, a tick each. Throws `ClipRefused`. */
export async function* sequenceFrames({ file, limits, signal }: Sequence, from: number): AsyncGenerator<ShownFrame, void, undefined> {
  const frames = framesOf(file, limits);
  for (let first = from; first < frames.length; first += 1) {
    signal.throwIfAborted();
    const one = frames[first];
    if (one === undefined) return;
    using frame = await decodePng(read(file, one), limits);
    yield { frame, first, ticks: 1 };
  }
}

function framesOf(file: ClipFile, { maxDurationMs }: ClipLimits): readonly ArchivedFile[] {
  const frames = forth(readArchive(file).frames);
  if (frames.length * tickMs > maxDurationMs) throw new ClipRefused('too_long');
  return frames;
}

function read(file: ClipFile, { at, bytes }: ArchivedFile): Uint8Array {
  if (bytes > maxStillBytes) throw new ClipRefused('too_heavy');
  return file.read(at, bytes);
}
