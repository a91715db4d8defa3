import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { UploadStore } from '../../packages/server/src/avatars/upload-store.ts';
import { describeWith } from '../support/loud-skip.ts';
import { uploadContent, uploadLimits } from '../support/upload-content.ts';

const uploadId = '0198a1b2-0000-7000-8000-000000000001';

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

describe('an upload and kill -9', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'uploads-killed-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('goes on after each kill in the middle of an append, to the same bytes and hash', async () => {
    const content = uploadContent(12_000_000);
    const path = join(folder, `${uploadId}.${content.length}`);
    const received = () => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const script = new URL('../support/upload-child.ts', import.meta.url).pathname;
    for (const killedAt of [1, 2_000_000, 5_000_000, 5_200_000, 9_000_000]) {
      const before = received();
      const child = spawn(process.execPath, [script, folder, uploadId, String(content.length)], { stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = once(child, 'close');
      await expect.poll(received, { timeout: 60_000, interval: 1 }).toBeGreaterThanOrEqual(killedAt);
      child.kill('SIGKILL');
      expect(await ended).toEqual([null, 'SIGKILL']);
      expect(received()).toBeGreaterThan(before);
      expect(received()).toBeLessThan(content.length);
    }
    const store = await UploadStore.open(folder, uploadLimits);
    const { offset } = await store.begin({ uploadId, expectedBytes: content.length });
    expect(offset).toBe(received());
    await store.append({ uploadId, offset, bytes: chunks(content.subarray(offset), 1_000_000) });
    const finished = await store.finish({ uploadId, sha256: sha256(content) });
    expect(Buffer.compare(await readFile(finished.path), content)).toBe(0);
    await store.abandon(uploadId);
    expect(await readdir(folder)).toEqual([]);
  });
});

const canMount = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0;
const diskBytes = 4 * 1024 * 1024;

describeWith(canMount, 'a small disk to fill (root, to mount one)')('an upload and a full disk', () => {
  let folder: string;
  let disk: string;
  const filler = () => join(disk, 'filler');
  beforeEach(async () => {
    disk = await mkdtemp(join(tmpdir(), 'uploads-disk-'));
    folder = join(disk, 'uploads');
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', disk], { encoding: 'utf8' });
    if (mounted.status !== 0) throw new Error(`cannot mount a small disk: ${mounted.stderr}`);
  });
  afterEach(async () => {
    const unmounted = spawnSync('umount', [disk], { encoding: 'utf8' });
    await rm(disk, { recursive: true, force: true });
    // Refused while anything on it is still open.
    expect(unmounted.stderr).toBe('');
  });

  async function fillUpTo(freeBytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(disk);
    await writeFile(filler(), new Uint8Array(bavail * bsize - freeBytes));
  }

  async function openHere(): Promise<number> {
    const links = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
    return links.filter((target) => target.startsWith(disk)).length;
  }

  test('keeps the whole chunks that fitted, nothing of the next, and goes on when there is room', async () => {
    const content = uploadContent(3_000_000);
    const store = await UploadStore.open(folder, uploadLimits);
    await store.begin({ uploadId, expectedBytes: content.length });
    async function* whileTheDiskFills(): AsyncGenerator<Uint8Array> {
      yield content.subarray(0, 300_000);
      await fillUpTo(500_000);
      yield* chunks(content.subarray(300_000), 300_000);
    }
    await expect(store.append({ uploadId, offset: 0, bytes: whileTheDiskFills() })).rejects.toMatchObject({
      code: 'disk_full',
      resumeAt: 600_000,
    });
    const path = join(folder, `${uploadId}.${content.length}`);
    expect(Buffer.compare(await readFile(path), content.subarray(0, 600_000))).toBe(0);
    expect(await openHere()).toBe(0);
    expect(await readdir(folder)).toHaveLength(1);

    await rm(filler());
    await store.append({ uploadId, offset: 600_000, bytes: chunks(content.subarray(600_000), 300_000) });
    expect((await store.finish({ uploadId, sha256: sha256(content) })).bytes).toBe(content.length);
    await store.abandon(uploadId);
    expect(await readdir(folder)).toEqual([]);
  });

  test('does not begin, or go on, when it would take what is to be left free', async () => {
    const content = uploadContent(2_000_000);
    const store = await UploadStore.open(folder, { ...uploadLimits, keepFreeBytes: 1_500_000 });
    await expect(store.begin({ uploadId: 'too-long', expectedBytes: 3_000_000 })).rejects.toMatchObject({ code: 'disk_full' });
    await store.begin({ uploadId, expectedBytes: content.length });
    // What the first was promised is not free for a second.
    await expect(store.begin({ uploadId: 'second', expectedBytes: 1_000_000 })).rejects.toMatchObject({ code: 'disk_full' });
    await fillUpTo(2_000_000);
    await expect(store.append({ uploadId, offset: 0, bytes: chunks(content, 100_000) })).rejects.toMatchObject({
      code: 'disk_full',
      resumeAt: 0,
    });
    await rm(filler());
    expect(await store.append({ uploadId, offset: 0, bytes: chunks(content, 100_000) })).toEqual({ offset: content.length });
    expect(await readdir(folder)).toEqual([`${uploadId}.${content.length}`]);
  });

  test('leaves nothing of a beginning on a disk that takes no more files', async () => {
    const store = await UploadStore.open(folder, uploadLimits);
    expect(spawnSync('mount', ['-o', 'remount,nr_inodes=3', disk]).status).toBe(0);
    await writeFile(filler(), '');
    await expect(store.begin({ uploadId, expectedBytes: 1000 })).rejects.toMatchObject({ code: 'disk_full' });
    expect(await readdir(folder)).toEqual([]);
    await rm(filler());
    expect(await store.begin({ uploadId, expectedBytes: 1000 })).toEqual({ offset: 0 });
  });
});
