import { randomBytes, randomUUID } from 'node:crypto';
import { link, open, readFile, rm, stat } from 'node:fs/promises';

const secretBytes = 32;

/** A secret's file that others can read, or that is not a secret. */
export class UnsafeSecret extends Error {
  override readonly name = 'UnsafeSecret';
}

/** Reads a 32-byte secret (base64) from its file; makes the file, mode 0600, when there is none. */
export async function openSecretFile(path: string): Promise<Uint8Array> {
  const mode = await modeOf(path);
  if (mode === null) await make(path);
  else if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new UnsafeSecret(`${path} can be read by others: run \`chmod 600 ${path}\``);
  }
  const secret = Buffer.from((await readFile(path, 'utf8')).trim(), 'base64');
  if (secret.length !== secretBytes) throw new UnsafeSecret(`${path} does not hold 32 bytes of base64: restore it from a backup`);
  return secret;
}

async function modeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mode;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Whole or not at all, and never over one that another process made meanwhile. */
async function make(path: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await using file = await open(draft, 'wx', 0o600);
    await file.writeFile(`${randomBytes(secretBytes).toString('base64')}\n`);
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
