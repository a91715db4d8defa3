import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { AvatarArtifact } from '@virtual-tutor/schemas';

/** Of files that are not yet what they are to be. */
export const draftSuffix = '.draft';

/** Under its name there is never anything but the whole file, whatever happens meanwhile. Leaves nothing behind when it fails. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<AvatarArtifact> {
  const draft = `${path}${draftSuffix}`;
  try {
    await using file = await open(draft, 'w', 0o600);
    await file.writeFile(bytes);
    await file.sync();
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
  return { name: basename(path), sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
}

/** What was renamed and removed in it outlives a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder);
  await handle.sync();
}
