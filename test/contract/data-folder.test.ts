import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FileBlobStore } from '../../packages/server/src/store/blobs.ts';
import { openSecretFile, UnsafeSecret } from '../../packages/server/src/store/secret-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tutor-folder-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a secret in a file', () => {
  test('is made on the first start, for its owner only, and is the same ever after', async () => {
    const path = join(folder, 'master.key');
    const secret = await openSecretFile(path);
    expect(secret).toHaveLength(32);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await openSecretFile(path)).toEqual(secret);
  });

  test('is one, however many start at the same moment, and leaves no drafts', async () => {
    const path = join(folder, 'raced.key');
    const secrets = await Promise.all(Array.from({ length: 10 }, () => openSecretFile(path)));
    expect(new Set(secrets.map((secret) => Buffer.from(secret).toString('hex'))).size).toBe(1);
    expect(readdirSync(folder).filter((name) => name.startsWith('raced.key'))).toEqual(['raced.key']);
  });

  test.each([0o640, 0o604, 0o644])('that others can read (mode %o) is refused with the command that helps', async (mode) => {
    const path = join(folder, `wide-${mode}.key`);
    await openSecretFile(path);
    chmodSync(path, mode);
    await expect(openSecretFile(path)).rejects.toThrow(UnsafeSecret);
    await expect(openSecretFile(path)).rejects.toThrow('chmod 600');
  });

  test.each(['', 'short', randomBytes(31).toString('base64')])('that is not 32 bytes of base64 (%j) is refused', async (content) => {
    const path = join(folder, `odd-${content.length}.key`);
    writeFileSync(path, content, { mode: 0o600 });
    await expect(openSecretFile(path)).rejects.toThrow('32 bytes');
  });
});

describe('a blob', () => {
  const bytes = randomBytes(100_000);
  const name = createHash('sha256').update(bytes).digest('hex');

  test('is named by its content, is kept once and comes back the same', async () => {
    const blobs = new FileBlobStore(join(folder, 'blobs'));
    expect(await Promise.all([blobs.put(bytes), blobs.put(bytes), blobs.put(bytes)])).toEqual([name, name, name]);
    expect(Buffer.from((await blobs.get(name)) ?? [])).toEqual(bytes);
    expect(readdirSync(join(folder, 'blobs', name.slice(0, 2)))).toEqual([name]);
  });

  test('that is not there is null', async () => {
    expect(await new FileBlobStore(join(folder, 'none')).get('0'.repeat(64))).toBeNull();
  });

  test('whose bytes rotted on the disk is refused', async () => {
    const blobs = new FileBlobStore(join(folder, 'rotten'));
    await blobs.put(bytes);
    writeFileSync(
      join(folder, 'rotten', name.slice(0, 2), name),
      Uint8Array.from(bytes, (byte, i) => (i === 7 ? byte ^ 1 : byte)),
    );
    await expect(blobs.get(name)).rejects.toThrow('does not match its name');
  });

  test.each(['../../etc/passwd', '', 'A'.repeat(64), `${'0'.repeat(63)}/`])('cannot be asked for by %j', async (path) => {
    await expect(new FileBlobStore(join(folder, 'blobs')).get(path)).rejects.toThrow('named by its SHA-256');
  });

  test('that could not be written whole leaves nothing', async () => {
    const blocked = join(folder, 'blocked');
    writeFileSync(blocked, '');
    await expect(new FileBlobStore(blocked).put(bytes)).rejects.toThrow();
    expect(existsSync(join(blocked, name))).toBe(false);
  });
});
