import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

/** What is known of a file that only grows at its end. */
export interface Growth {
  /** Its length; every byte of it was written as asked. */
  bytes: number;
  /** The part of it that outlives a power cut. */
  syncedBytes: number;
  /** SHA-256 of its bytes; null when they would have to be read back first. */
  hash: Hash | null;
}

export function emptyGrowth(): Growth {
  return { bytes: 0, syncedBytes: 0, hash: createHash('sha256') };
}

/** Of a file whose bytes somebody else wrote, or this process before it was started again. */
export function foundGrowth(bytes: number): Growth {
  return { bytes, syncedBytes: bytes, hash: null };
}

/** What of a `FileHandle` it takes. */
interface Writable extends Pick<FileHandle, 'truncate' | 'sync'> {
  write(
    chunk: Uint8Array,
    range: { readonly offset: number; readonly length: number; readonly position: number },
  ): Promise<{ readonly bytesWritten: number }>;
}

/** The whole chunk or nothing of it: what was written of a chunk that did not fit is cut off again. */
export async function grow(file: Writable, growth: Growth, chunk: Uint8Array): Promise<void> {
  try {
    let done = 0;
    while (done < chunk.byteLength) {
      const { bytesWritten } = await file.write(chunk, { offset: done, length: chunk.byteLength - done, position: growth.bytes + done });
      done += bytesWritten;
    }
  } catch (error) {
    await file.truncate(growth.bytes);
    throw error;
  }
  growth.bytes += chunk.byteLength;
  growth.hash?.update(chunk);
}

/** On disk, or cut back to what is: after a failed fsync nobody knows which of the newer bytes were lost (fsync(2)). */
export async function settle(file: Writable, growth: Growth): Promise<void> {
  if (growth.bytes === growth.syncedBytes) return;
  try {
    await file.sync();
    growth.syncedBytes = growth.bytes;
  } catch (error) {
    growth.hash = null;
    growth.bytes = growth.syncedBytes;
    await file.truncate(growth.bytes);
    throw error;
  }
}

/** Small enough that hashing one piece, under a millisecond, holds up nothing else. */
const pieceBytes = 256 * 1024;

/** SHA-256 of a file's bytes so far, to be gone on with. */
export async function hashOf(file: Pick<FileHandle, 'read'>): Promise<Hash> {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(pieceBytes);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(piece, 0, pieceBytes, position);
    if (bytesRead === 0) return hash;
    hash.update(piece.subarray(0, bytesRead));
    position += bytesRead;
  }
}
