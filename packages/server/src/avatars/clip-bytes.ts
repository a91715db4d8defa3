import type { FileHandle } from 'node:fs/promises';
import { openRegular } from './confined-path.ts';

/** A clip that can be read from its beginning to its end. */
export interface ClipBytes extends AsyncDisposable {
  readonly bytes: number;
  /** So many bytes, if nothing writes to it meanwhile; each piece is good until the next one is asked for. */
  pieces(): AsyncIterable<Uint8Array>;
}

/** Throws `ConfinedPathRefused`. The path leads through no link. */
export async function openClipBytes(path: string): Promise<ClipBytes> {
  const { handle, bytes } = await openRegular(path);
  return { bytes, pieces: () => piecesOf(handle), [Symbol.asyncDispose]: () => handle.close() };
}

const pieceBytes = 1024 * 1024;

/** From where the file is read next to its end; each piece is good until the next one is asked for. */
export async function* piecesOf(file: FileHandle): AsyncGenerator<Uint8Array, void, undefined> {
  const piece = new Uint8Array(pieceBytes);
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, pieceBytes, null);
    if (bytesRead === 0) return;
    yield piece.subarray(0, bytesRead);
  }
}
