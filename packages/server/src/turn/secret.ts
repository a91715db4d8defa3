import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openSecretFile, UnsafeSecret } from '../store/secret-file.ts';
import type { TurnSettings } from './settings.ts';

/** The secret that credentials are made with, as coturn's `static-auth-secret` writes it. Made on first start unless the operator names a file. */
export async function turnSecret({ secretFile }: TurnSettings, dataDir: string): Promise<string> {
  if (secretFile === null) return Buffer.from(await openSecretFile(join(dataDir, 'turn.key'))).toString('base64');
  const found = await stat(secretFile).catch(() => null);
  if (found === null) throw new UnsafeSecret('WEBRTC_TURN_SECRET_FILE names no file that can be read');
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0)
    throw new UnsafeSecret(`${secretFile} can be read by others: run \`chmod 600 ${secretFile}\``);
  const secret = (await readFile(secretFile, 'utf8')).trim();
  if (secret.length < 16 || /\s/.test(secret)) throw new UnsafeSecret(`${secretFile} must hold one word of 16 characters or more`);
  return secret;
}
