import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { drawnFace, swaying } from '../../../../../test/support/drawn-face.ts';
import { createVideoDecoder, psnr } from '../../../../../test/support/seen-video.ts';
import { restMouth } from '../mouth.ts';
import { avatarSize, files } from './manifest.ts';
import { openAvatar } from './open-avatar.ts';
import { type AvatarFacts, writeAvatar } from './write-avatar.ts';

const face = drawnFace(avatarSize, swaying(4));
const order = [0, 1, 2, 3, 2, 1, ...Array.from({ length: 24 }, (_, i) => i % 4)];
const facts: AvatarFacts = {
  order,
  landmarks: face.landmarks,
  quality: { faceHeightPx: 210, brightness: 140, mouthOpening: 0.01, turn: 0.02, motion: 0.004 },
  source: { sha256: '0'.repeat(64), first: 12, square: { x: 0, y: 0, side: 512 } },
  face: { embedding: [], frames: [] },
};

let written: string;
let folder: string;
beforeAll(async () => {
  written = await mkdtemp(join(tmpdir(), 'avatar-'));
  await writeAvatar(written, face.frames, facts);
});
afterAll(() => rm(written, { recursive: true, force: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'avatar-'));
  await cp(written, folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function hashes(): Promise<Record<string, string>> {
  const names = (await readdir(folder)).toSorted();
  const pairs = names.map(
    async (name) =>
      [
        name,
        createHash('sha256')
          .update(await readFile(join(folder, name)))
          .digest('hex'),
      ] as const,
  );
  return Object.fromEntries(await Promise.all(pairs));
}

test('what was written is worn: frames in the order of playing, and the packets that viewers are sent', async () => {
  const { manifest, renderer, idle } = await openAvatar(folder);
  expect(manifest).toMatchObject({ frames: 4, order, fps: 25, width: 512, height: 512 });
  expect(renderer.idleFrames).toBe(order.length);
  using viewer = createVideoDecoder('VP8');
  for (const [position, index] of order.entries()) {
    const filmed = face.frames[index] ?? new Uint8Array();
    const shown = renderer.render(position, restMouth);
    expect(psnr(shown, filmed), `frame ${position}`).toBeGreaterThan(44);
    const packet = idle[position];
    if (packet === undefined) throw new Error('a packet is missing');
    expect(psnr(viewer.decode(packet), shown), `packet ${position}`).toBeGreaterThan(34);
    expect(packet.key).toBe(position % 25 === 0);
  }
  expect(idle).toHaveLength(order.length);
});

test('frames that come twice are one buffer', async () => {
  const { renderer } = await openAvatar(folder);
  expect(renderer.render(1, restMouth)).toBe(renderer.render(5, restMouth));
});

test('the same face gives the same bytes', async () => {
  const before = await hashes();
  await rm(folder, { recursive: true });
  await mkdir(folder);
  await writeAvatar(folder, face.frames, facts);
  expect(await hashes()).toEqual(before);
});

test('the manifest names every other file, with its hash', async () => {
  const { manifest } = await openAvatar(folder);
  const { [manifestName]: _, ...found } = await hashes();
  expect(Object.fromEntries(manifest.artifacts.map(({ name, sha256 }) => [name, sha256]))).toEqual(found);
});

const { manifest: manifestName, ...others } = files;

test.each(Object.values(others))('a changed byte in %s is noticed', async (name) => {
  const bytes = await readFile(join(folder, name));
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(join(folder, name), bytes);
  await expect(openAvatar(folder)).rejects.toMatchObject({ name: 'AvatarDamaged', code: 'damaged' });
});

test.each(Object.values(files))('a lost end of %s is noticed', async (name) => {
  const bytes = await readFile(join(folder, name));
  // The manifest ends with a line break that nobody needs.
  await writeFile(join(folder, name), bytes.subarray(0, -(name === manifestName ? 2 : 1)));
  await expect(openAvatar(folder)).rejects.toMatchObject({ name: 'AvatarDamaged', code: 'damaged' });
});

test('a folder without a manifest has no avatar, one without a file a damaged one', async () => {
  await rm(join(folder, files.thumbnail));
  await expect(openAvatar(folder)).rejects.toMatchObject({ code: 'damaged' });
  await rm(join(folder, manifestName));
  await expect(openAvatar(folder)).rejects.toMatchObject({ code: 'missing' });
  await expect(openAvatar(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'missing' });
});

async function withManifest(change: (manifest: Record<string, unknown>) => object): Promise<void> {
  const path = join(folder, manifestName);
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')))));
}

test('an avatar of another version says so', async () => {
  await withManifest((manifest) => ({ ...manifest, version: 2, more: true }));
  await expect(openAvatar(folder)).rejects.toMatchObject({ code: 'other_version' });
});

test.each<readonly [string, (manifest: Record<string, unknown>) => object]>([
  ['of a frame that is not there', (manifest) => ({ ...manifest, order: [0, 4] })],
  ['of fewer frames than there are', (manifest) => ({ ...manifest, frames: 3, order: [0, 1, 2] })],
  ['of more frames than there are', (manifest) => ({ ...manifest, frames: 5 })],
  ['of another loop', (manifest) => ({ ...manifest, order: [0, 1] })],
  ['without files', (manifest) => ({ ...manifest, artifacts: [{ name: files.idle, sha256: '0'.repeat(64), bytes: 1 }] })],
  ['of files elsewhere', (manifest) => ({ ...manifest, artifacts: [{ name: '../manifest.json', sha256: '0'.repeat(64), bytes: 1 }] })],
])('a manifest %s is damaged', async (_name, change) => {
  await withManifest(change);
  await expect(openAvatar(folder)).rejects.toMatchObject({ code: 'damaged' });
});
