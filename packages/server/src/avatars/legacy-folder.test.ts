import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, truncateSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AvatarId, TenantId } from '@virtual-tutor/schemas';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { legacyFiles, packedArchive, writeLegacyFolder } from '../../../../test/support/legacy-avatar.ts';
import { ClipFolders } from './clip-folders.ts';
import { openLegacyFolder } from './legacy-folder.ts';

const north = TenantId.parse('north');
const files = legacyFiles({ frames: ['one', 'two', 'three'].map((text) => Buffer.from(text)) });
const archive = packedArchive(files);
const limits = { maxClipBytes: archive.length, uploadBytes: archive.length };

let root: string;
let avatarsFolder: string;
let clipsFolder: string;
let legacy: string;
let clips: ClipFolders;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'legacy-'));
  avatarsFolder = join(root, 'avatars');
  clipsFolder = join(root, 'clips');
  legacy = join(clipsFolder, 'ms-li');
  await writeLegacyFolder(legacy, files);
  clips = await ClipFolders.open({ folder: avatarsFolder, clipsFolder, ...limits });
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function adopt(path: string) {
  const avatarId = AvatarId.parse(uuidv7());
  return { avatarId, outcome: await clips.adopt(north, { avatarId, source: { type: 'path', path } }) };
}

test('a folder of the predecessor becomes one file, named by its content', async () => {
  for (const name of ['.DS_Store', '1.png', '00000000.jpg']) await writeFile(join(legacy, 'full_imgs', name), 'none of ours');
  await mkdir(join(legacy, 'mask'));
  await writeFile(join(legacy, 'avator_info.json'), '{}');
  const { avatarId, outcome } = await adopt('ms-li');
  expect(outcome).toEqual({ bytes: archive.length, sha256: createHash('sha256').update(archive).digest('hex') });
  expect(await readdir(join(avatarsFolder, avatarId))).toEqual(['source']);
  expect(await readFile(join(avatarsFolder, avatarId, 'source'))).toEqual(archive);
  expect(await readdir(legacy)).toContain('coords.pkl');
});

const inFrames = (name: string) => join(legacy, 'full_imgs', name);
const elsewhere = () => join(root, 'elsewhere');

/** Moves a part out of the folder and leaves a link. */
async function linked(name: string): Promise<void> {
  await rename(join(legacy, name), elsewhere());
  await symlink(elsewhere(), join(legacy, name));
}

describe('refused, without a name, and leaving nothing', () => {
  test.each<readonly [string, () => Promise<unknown>, string]>([
    ['without boxes', () => rm(join(legacy, 'coords.pkl')), 'invalid_input'],
    ['without latents', () => rm(join(legacy, 'latents.pt')), 'invalid_input'],
    ['without frames', () => rm(join(legacy, 'full_imgs'), { recursive: true }), 'invalid_input'],
    [
      'with a folder of no frames',
      () => rm(join(legacy, 'full_imgs'), { recursive: true }).then(() => mkdir(join(legacy, 'full_imgs'))),
      'invalid_input',
    ],
    [
      'with a file for its frames',
      () => rm(join(legacy, 'full_imgs'), { recursive: true }).then(() => writeFile(join(legacy, 'full_imgs'), 'x')),
      'invalid_input',
    ],
    ['with boxes that are a link', () => linked('coords.pkl'), 'invalid_input'],
    ['with latents that are a link', () => linked('latents.pt'), 'invalid_input'],
    ['with frames that are a link', () => linked('full_imgs'), 'invalid_input'],
    ['with a frame that is a link', () => linked('full_imgs/00000001.png'), 'invalid_input'],
    ['with a frame that is a link to another', () => symlink('00000001.png', inFrames('00000007.png')), 'invalid_input'],
    ['with a frame that is a link to nothing', () => symlink('nothing.png', inFrames('00000007.png')), 'invalid_input'],
    ['with a frame that is a folder', () => mkdir(inFrames('00000007.png')), 'invalid_input'],
    ['with a frame that is a pipe', async () => execFileSync('mkfifo', [inFrames('00000007.png')]), 'invalid_input'],
    ['with an empty frame', () => truncate(inFrames('00000001.png')), 'invalid_input'],
    ['that is larger than a clip may be', () => appendFile(inFrames('00000001.png'), Buffer.alloc(512)), 'payload_too_large'],
  ])('a folder %s', async (_, change, code) => {
    await change();
    const { outcome } = await adopt('ms-li');
    expect(outcome).toMatchObject({ refused: { code } });
    expect(JSON.stringify(outcome)).not.toMatch(/ms-li|elsewhere|0000000/);
    expect(await readdir(avatarsFolder)).toEqual(['.uploads']);
  });

  test.each(['../ms-wang', 'way', '.', 'ms-li/full_imgs', 'ms-li/../../ms-wang'])('the path %s', async (path) => {
    await writeLegacyFolder(join(root, 'ms-wang'), files);
    await symlink(join(root, 'ms-wang'), join(clipsFolder, 'way'));
    const { outcome } = await adopt(path);
    expect(outcome).toMatchObject({ refused: { code: expect.stringMatching(/^(invalid_input|not_found)$/) } });
    expect(await readdir(avatarsFolder)).toEqual(['.uploads']);
  });

  test('a folder that is written to while it is read', async () => {
    await using folder = await openLegacyFolder(legacy);
    await appendFile(inFrames('00000002.png'), 'more');
    await expect(Array.fromAsync(folder.pieces())).rejects.toMatchObject({ name: 'ConfinedPathRefused', code: 'changed' });
  });
});

test('a folder that changes while it is copied is refused, and leaves nothing', async () => {
  await truncate(inFrames('00000000.png'), 64 * 1024 * 1024);
  clips = await ClipFolders.open({ folder: avatarsFolder, clipsFolder, maxClipBytes: 1e9, uploadBytes: 1e9 });
  const avatarId = AvatarId.parse(uuidv7());
  const adopting = clips.adopt(north, { avatarId, source: { type: 'path', path: 'ms-li' } });
  while (!existsSync(join(avatarsFolder, avatarId, 'source.draft'))) await nextTurn();
  truncateSync(inFrames('00000002.png'), 1);
  expect(await adopting).toMatchObject({ refused: { code: 'invalid_input', message: expect.stringContaining('being changed') } });
  expect(await readdir(avatarsFolder)).toEqual(['.uploads']);
});

test('a link inside the allowed folder leads to it as to a clip', async () => {
  await symlink('ms-li', join(clipsFolder, 'li'));
  expect((await adopt('li')).outcome).toMatchObject({ bytes: archive.length });
});
