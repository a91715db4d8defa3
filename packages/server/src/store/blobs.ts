import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BlobStore } from '../app/ports.ts';

/** Content-addressed files: `ab/abcdef…`. */
export class FileBlobStore implements BlobStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async put(bytes: Uint8Array): Promise<string> {
    const name = createHash('sha256').update(bytes).digest('hex');
    const path = this.#pathOf(name);
    if (await exists(path)) return name;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const draft = `${path}.${randomUUID()}`;
    try {
      const file = await open(draft, 'wx', 0o600);
      await file.writeFile(bytes);
      await file.sync();
      await file.close();
      await rename(draft, path);
      await syncFolder(dirname(path));
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    return name;
  }

  async get(sha256: string): Promise<Uint8Array | null> {
    const bytes = await readFile(this.#pathOf(sha256)).catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    if (bytes === null) return null;
    if (createHash('sha256').update(bytes).digest('hex') !== sha256)
      throw new Error(`blob ${sha256} does not match its name: restore it from a backup`);
    return bytes;
  }

  #pathOf(name: string): string {
    if (!/^[0-9a-f]{64}$/.test(name)) throw new Error('a blob is named by its SHA-256');
    return join(this.#folder, name.slice(0, 2), name);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** A rename is durable once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync();
  await handle.close();
}
