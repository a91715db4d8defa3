import { randomBytes } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';

const secretBytes = 32;

/** A secret's file that others can read, or that is not a secret. */
export class UnsafeSecret extends Error {
  override readonly name = 'UnsafeSecret';
}

/** Reads a 32-byte secret (base64) from its file; makes the file, mode 0600, when there is none. */
export async function openSecretFile(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'wx', 0o600);
    const secret = randomBytes(secretBytes);
    await file.writeFile(`${secret.toString('base64')}\n`);
    await file.sync();
    await file.close();
    return secret;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new UnsafeSecret(`${path} can be read by others: run \`chmod 600 ${path}\``);
  }
  const secret = Buffer.from((await readFile(path, 'utf8')).trim(), 'base64');
  if (secret.length !== secretBytes) throw new UnsafeSecret(`${path} does not hold 32 bytes of base64: restore it from a backup`);
  return secret;
}
