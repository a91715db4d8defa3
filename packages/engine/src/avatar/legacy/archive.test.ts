import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { legacyFiles, packedArchive, writeLegacyFolder } from '../../../../../test/support/legacy-avatar.ts';
import { describeWith } from '../../../../../test/support/loud-skip.ts';
import { type ArchivedFile, forth, headerOf, mostFrames, readArchive } from './archive.ts';

const files = legacyFiles({ frames: [Buffer.from('a'), Buffer.alloc(512, 'b'), Buffer.alloc(70_000, 'c')] });
const archive = packedArchive(files);

function read(bytes: Uint8Array) {
  return readArchive({ bytes: bytes.length, read: (at, length) => bytes.subarray(at, at + length) });
}

const isGnuTar = spawnSync('tar', ['--version'], { encoding: 'utf8' }).stdout?.includes('GNU tar') === true;

describeWith(isGnuTar, 'GNU tar')('an archive', () => {
  test('is what GNU tar makes of the folder, as the manual says', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'legacy-'));
    try {
      await writeLegacyFolder(folder, files);
      const flags = ['--format=ustar', '-b1', '--owner=0', '--group=0', '--numeric-owner', '--mode=0600', '--mtime=@0'];
      const { stdout } = spawnSync('tar', [...flags, '-C', folder, '-cf', '-', ...Object.keys(files)]);
      expect(stdout.equals(archive)).toBe(true);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test('what was packed is found where it lies', () => {
  const { boxes, latents, frames } = read(archive);
  const content = ({ at, bytes }: ArchivedFile) => archive.subarray(at, at + bytes);
  expect([boxes, latents, ...frames].map(({ name }) => name)).toEqual(Object.keys(files));
  expect([boxes, latents, ...frames].map(content)).toEqual(Object.values(files).map((file) => Buffer.from(file)));
});

describe('refused is', () => {
  const { 'coords.pkl': boxes = archive, 'latents.pt': latents = archive } = files;
  const frame = Buffer.from('x');
  test.each<readonly [string, Record<string, Uint8Array>]>([
    ['nothing', {}],
    ['no frame', { 'coords.pkl': boxes, 'latents.pt': latents }],
    ['another order', { 'latents.pt': latents, 'coords.pkl': boxes, 'full_imgs/00000000.png': frame }],
    ['no latents', { 'coords.pkl': boxes, 'full_imgs/00000000.png': frame }],
    ['a way out', { 'coords.pkl': boxes, 'latents.pt': latents, '../../../etc/cron.d/x.png': frame }],
    ['a way out of the frames', { 'coords.pkl': boxes, 'latents.pt': latents, 'full_imgs/../0000.png': frame }],
    ['an absolute path', { 'coords.pkl': boxes, 'latents.pt': latents, '/full_imgs/00000000.png': frame }],
    ['a mask', { 'coords.pkl': boxes, 'latents.pt': latents, 'full_imgs/00000000.png': frame, 'mask/00000000.png': frame }],
    [
      'frames out of order',
      { 'coords.pkl': boxes, 'latents.pt': latents, 'full_imgs/00000001.png': frame, 'full_imgs/00000000.png': frame },
    ],
    ['an empty frame', { 'coords.pkl': boxes, 'latents.pt': latents, 'full_imgs/00000000.png': Buffer.alloc(0) }],
  ])('%s', (_, hostile) => {
    expect(() => read(packedArchive(hostile))).toThrow(expect.objectContaining({ name: 'ClipRefused', code: 'damaged' }));
  });

  test('one that was cut off, or goes on', () => {
    for (let length = 0; length < archive.length; length += 499) expect(() => read(archive.subarray(0, length)), `${length}`).toThrow();
    expect(() => read(Buffer.concat([archive, Buffer.alloc(512)]))).toThrow();
  });

  test('any other byte of a header', () => {
    for (let at = 0; at < 512; at += 1) {
      const other = Buffer.from(archive);
      other[at] = (other[at] ?? 0) ^ 1;
      expect(() => read(other), `byte ${at}`).toThrow();
    }
  });

  test('a file that says it is longer than the archive', () => {
    const header = headerOf({ name: 'coords.pkl', bytes: 0o77777777777 });
    expect(() => read(Buffer.concat([header, archive.subarray(512)]))).toThrow();
  });

  test('more frames than a clip may have', () => {
    const block = Buffer.alloc(512);
    const names = [
      'coords.pkl',
      'latents.pt',
      ...Array.from({ length: mostFrames + 1 }, (_, i) => `full_imgs/${`${i}`.padStart(8, '0')}.png`),
    ];
    const endless = {
      bytes: Number.MAX_SAFE_INTEGER,
      read: (at: number) => headerOf({ name: names[at / 1024] ?? '', bytes: block.length }),
    };
    expect(() => readArchive(endless)).toThrow(expect.objectContaining({ code: 'too_heavy' }));
  });
});

describe('frames that go to and fro', () => {
  const lengths = (...all: readonly number[]) => forth(all.map((bytes, at) => ({ name: `${at}`, bytes, at }))).map(({ bytes }) => bytes);
  test('are taken once', () => {
    expect(lengths(5, 6, 7, 7, 6, 5)).toEqual([5, 6, 7]);
  });
  test('are not seen where there are none', () => {
    for (const once of [[5], [5, 5], [5, 6, 5], [5, 6, 7, 8], [5, 6, 7, 7, 6, 4], [5, 5, 5, 5]]) expect(lengths(...once)).toEqual(once);
  });
});
