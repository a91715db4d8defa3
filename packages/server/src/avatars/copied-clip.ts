import { createHash } from 'node:crypto';
import { lstat, open, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { openClipBytes } from './clip-bytes.ts';
import { ConfinedPathRefused, confinedTarget } from './confined-path.ts';
import { openLegacyFolder } from './legacy-folder.ts';
import { UploadRefused } from './upload-refused.ts';

export interface ClipCopy {
  /** The one folder that clips may be taken from, and the clip's path in it: a file, or a folder of the predecessor. */
  readonly folder: string;
  readonly path: string;
  /** Where it is to be. */
  readonly place: string;
  readonly maxBytes: number;
  /** What is left free on the disk, bytes. */
  readonly keepFreeBytes: number;
}

/** Of a copy that is not whole yet; a process that died leaves it. */
export function draftOf(place: string): string {
  return `${place}.draft`;
}

/** A copy as one file, on disk: what is built must not change under the build. Throws `ConfinedPathRefused` and `UploadRefused`. */
export async function copyClip({ folder, path, place, maxBytes, keepFreeBytes }: ClipCopy): Promise<Copied> {
  const target = await confinedTarget({ folder, path });
  const isFolder = await lstat(target).then(
    (found) => found.isDirectory(),
    () => false,
  );
  await using source = isFolder ? await openLegacyFolder(target) : await openClipBytes(target);
  if (source.bytes > maxBytes) throw tooLarge(maxBytes);
  if (source.bytes === 0) throw new ConfinedPathRefused('not_a_file', 'this file is empty');
  const { bavail, bsize } = await statfs(dirname(place));
  if (bavail * bsize - keepFreeBytes < source.bytes)
    throw new UploadRefused('disk_full', 'the disk for avatars is full: the operator has to make room');
  const draft = draftOf(place);
  try {
    const copied = await written(draft, source.pieces(), maxBytes);
    await rename(draft, place);
    return copied;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

interface Copied {
  readonly bytes: number;
  readonly sha256: string;
}

async function written(draft: string, pieces: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Copied> {
  const hash = createHash('sha256');
  let bytes = 0;
  await using target = await open(draft, 'w', 0o600);
  for await (const piece of pieces) {
    bytes += piece.byteLength;
    // It may have grown since.
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    hash.update(piece);
    await target.writeFile(piece);
  }
  await target.sync();
  return { bytes, sha256: hash.digest('hex') };
}

function tooLarge(maxBytes: number): ConfinedPathRefused {
  const advice = 'take a shorter or smaller one, or ask the operator for a higher AVATAR_MAX_MB';
  return new ConfinedPathRefused('payload_too_large', `a clip may have ${maxBytes} bytes: ${advice}`);
}
