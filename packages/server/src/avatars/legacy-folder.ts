import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ArchiveEntry,
  archiveBytes,
  archiveEnd,
  boxesName,
  frameShape,
  framesFolder,
  headerOf,
  latentsName,
  mostFrames,
  paddingOf,
} from '@virtual-tutor/engine/avatar-build';
import { type ClipBytes, piecesOf } from './clip-bytes.ts';
import { type ConfinedFile, ConfinedPathRefused, openRegular } from './confined-path.ts';

/**
 * An avatar's folder of the predecessor as one file (`avatar/legacy/archive.ts` of the engine): its frames, boxes and latents, whatever else
 * lies there. The path leads through no link. Throws `ConfinedPathRefused`, also while it is read when it changes.
 */
export async function openLegacyFolder(folder: string): Promise<ClipBytes> {
  const entries: ArchiveEntry[] = [];
  for (const name of [boxesName, latentsName, ...(await framesIn(folder))]) {
    await using file = await openPart(folder, name);
    if (file.bytes === 0) throw refused('a file of this folder is empty: copy the folder again');
    entries.push({ name, bytes: file.bytes });
  }
  return { bytes: archiveBytes(entries), pieces: () => packed(folder, entries), [Symbol.asyncDispose]: async () => {} };
}

/** In the order in which the predecessor plays them. */
async function framesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  const listed = await opendir(join(folder, framesFolder)).catch(() => {
    throw incomplete();
  });
  for await (const { name } of listed) {
    if (frameShape.test(name)) names.push(`${framesFolder}/${name}`);
    if (names.length > mostFrames) throw new ConfinedPathRefused('payload_too_large', `this folder has more than ${mostFrames} frames`);
  }
  if (names.length === 0) throw incomplete();
  return names.toSorted();
}

async function* packed(folder: string, entries: readonly ArchiveEntry[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const entry of entries) {
    await using file = await openPart(folder, entry.name);
    yield headerOf(entry);
    let bytes = 0;
    for await (const piece of piecesOf(file.handle)) {
      bytes += piece.length;
      if (bytes > entry.bytes) break;
      yield piece;
    }
    if (bytes !== entry.bytes)
      throw new ConfinedPathRefused('changed', 'this folder is being changed: try again when nothing writes to it');
    yield paddingOf(bytes);
  }
  yield archiveEnd;
}

async function openPart(folder: string, name: string): Promise<ConfinedFile> {
  try {
    return await openRegular(join(folder, name));
  } catch (error) {
    if (!(error instanceof ConfinedPathRefused)) throw error;
    throw error.code === 'not_found'
      ? incomplete()
      : refused('a file of this folder is a link, no file, or cannot be read: copy the folder');
  }
}

function incomplete(): ConfinedPathRefused {
  return refused(`this folder is no avatar of the predecessor: ${framesFolder}, ${boxesName} and ${latentsName} have to be in it`);
}

function refused(message: string): ConfinedPathRefused {
  return new ConfinedPathRefused('not_an_avatar', message);
}
