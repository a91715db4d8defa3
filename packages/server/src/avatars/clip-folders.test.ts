import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AvatarId, TenantId } from '@virtual-tutor/schemas';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ClipFolders } from './clip-folders.ts';

const north = TenantId.parse('north');
const south = TenantId.parse('south');
const clip = Buffer.from('a clip of Ms Li');
const sha256 = createHash('sha256').update(clip).digest('hex');

let root: string;
let folder: string;
let clipsFolder: string;
let clips: ClipFolders;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'clips-'));
  folder = join(root, 'avatars');
  clipsFolder = join(root, 'clips');
  await mkdir(clipsFolder);
  await writeFile(join(clipsFolder, 'li.mp4'), clip);
  clips = await ClipFolders.open({ folder, clipsFolder, maxClipBytes: 100, uploadBytes: 1_000 });
});
afterEach(() => rm(root, { recursive: true, force: true }));

const newAvatar = () => AvatarId.parse(uuidv7());

async function* pieces(...bytes: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* bytes;
}

async function uploaded(tenantId: TenantId): Promise<string> {
  const uploadId = uuidv7();
  expect(await clips.beginUpload(tenantId, { uploadId, bytes: clip.length })).toMatchObject({ offset: 0 });
  expect(await clips.append(tenantId, { uploadId, offset: 0, bytes: pieces(clip) })).toMatchObject({ offset: clip.length });
  return uploadId;
}

describe('an upload', () => {
  test('becomes the avatar’s clip, once, and nothing of it is left among the uploads', async () => {
    const avatarId = newAvatar();
    const source = { type: 'upload', uploadId: await uploaded(north), sha256 } as const;
    const adopted = { bytes: clip.length, sha256 };
    expect(await clips.adopt(north, { avatarId, source })).toEqual(adopted);
    expect(await clips.adopt(north, { avatarId, source })).toEqual(adopted);
    expect(await readdir(join(folder, avatarId))).toEqual(['source']);
    expect((await readdir(join(folder, '.uploads'))).filter((name) => name.includes(source.uploadId))).toEqual([]);
    const other = { ...source, uploadId: await uploaded(north), sha256: 'b'.repeat(64) };
    expect(await clips.adopt(north, { avatarId, source: other })).toMatchObject({ refused: { code: 'command_reused' } });
  });

  test('of another tenant is an unknown one, to go on with, to take and to abandon', async () => {
    const uploadId = await uploaded(north);
    const unknown = { refused: { code: 'not_found' } };
    expect(await clips.append(south, { uploadId, offset: clip.length, bytes: pieces() })).toMatchObject(unknown);
    expect(await clips.adopt(south, { avatarId: newAvatar(), source: { type: 'upload', uploadId } })).toMatchObject(unknown);
    await clips.abandonUpload(south, uploadId);
    expect(await clips.beginUpload(north, { uploadId, bytes: clip.length })).toMatchObject({ offset: clip.length });
  });
});

describe('a clip by path', () => {
  test('is copied, not moved', async () => {
    const avatarId = newAvatar();
    expect(await clips.adopt(north, { avatarId, source: { type: 'path', path: 'li.mp4' } })).toEqual({ bytes: clip.length, sha256 });
    expect(await readdir(clipsFolder)).toEqual(['li.mp4']);
    expect(await readdir(join(folder, avatarId))).toEqual(['source']);
  });

  test.each(['../secret', '/etc/hostname', 'link.mp4', 'none.mp4', 'class-2b', 'large.mp4', 'empty.mp4'])(
    '%s is refused, without its name, and leaves no clip',
    async (path) => {
      await writeFile(join(root, 'secret'), 'secret');
      await symlink(join(root, 'secret'), join(clipsFolder, 'link.mp4'));
      await mkdir(join(clipsFolder, 'class-2b'));
      await writeFile(join(clipsFolder, 'large.mp4'), Buffer.alloc(101));
      await writeFile(join(clipsFolder, 'empty.mp4'), '');
      const avatarId = newAvatar();
      const outcome = await clips.adopt(north, { avatarId, source: { type: 'path', path } });
      expect(outcome).toMatchObject({ refused: { code: expect.stringMatching(/^(not_found|invalid_input|payload_too_large)$/) } });
      expect(JSON.stringify(outcome)).not.toContain(path);
      expect(await readdir(folder)).toEqual(['.uploads']);
    },
  );

  test('asked for twice at once is copied once', async () => {
    const avatarId = newAvatar();
    const source = { type: 'path', path: 'li.mp4' } as const;
    const adopted = await Promise.all([clips.adopt(north, { avatarId, source }), clips.adopt(north, { avatarId, source })]);
    expect(adopted).toEqual([
      { bytes: clip.length, sha256 },
      { bytes: clip.length, sha256 },
    ]);
    expect(await readdir(join(folder, avatarId))).toEqual(['source']);
  });

  test('that a process before was copying when it died is gone at the next start; what is whole stays', async () => {
    const [begun, whole] = [newAvatar(), newAvatar()];
    await mkdir(join(folder, begun));
    await writeFile(join(folder, begun, 'source.draft'), 'the first half of a fa');
    await clips.adopt(north, { avatarId: whole, source: { type: 'path', path: 'li.mp4' } });
    await writeFile(join(folder, whole, 'source.draft'), 'the first half of a fa');
    await ClipFolders.open({ folder, clipsFolder, maxClipBytes: 100, uploadBytes: 1_000 });
    expect((await readdir(folder)).sort()).toEqual(['.uploads', whole].sort());
    expect(await readdir(join(folder, whole))).toEqual(['source']);
  });

  test('is refused where the operator allows no folder', async () => {
    const closed = await ClipFolders.open({ folder, clipsFolder: null, maxClipBytes: 100, uploadBytes: 1_000 });
    expect(await closed.adopt(north, { avatarId: newAvatar(), source: { type: 'path', path: 'li.mp4' } })).toMatchObject({
      refused: { code: 'invalid_input', message: expect.stringContaining('AVATAR_CLIPS_DIR') },
    });
  });
});

test('a file is given out only as long as it is what was recorded of it', async () => {
  const avatarId = newAvatar();
  await mkdir(join(folder, avatarId));
  const place = join(folder, avatarId, 'thumbnail.jpg');
  await writeFile(place, clip);
  expect(await clips.read(avatarId, { name: 'thumbnail.jpg', sha256 })).toEqual(clip);
  await writeFile(place, 'another face');
  expect(await clips.read(avatarId, { name: 'thumbnail.jpg', sha256 })).toBeNull();
  expect(await clips.read(avatarId, { name: 'none.jpg', sha256 })).toBeNull();
});

test('a clip goes alone, and again is no harm', async () => {
  const avatarId = newAvatar();
  await mkdir(join(folder, avatarId));
  for (const name of ['source', 'fault-1.jpg']) await writeFile(join(folder, avatarId, name), 'a face');
  for (let time = 0; time < 2; time += 1) await clips.removeClip(avatarId);
  expect(await readdir(join(folder, avatarId))).toEqual(['fault-1.jpg']);
});

test('folders that nobody writes to are told from those of a clip that is just coming in', async () => {
  const [old, young] = [newAvatar(), newAvatar()];
  for (const avatarId of [old, young]) await mkdir(join(folder, avatarId));
  await mkdir(join(folder, 'not-ours'));
  await utimes(join(folder, old), new Date(0), new Date(0));
  expect(await clips.settled()).toEqual([old]);
  await clips.remove(old);
  expect((await readdir(folder)).sort()).toEqual(['.uploads', 'not-ours', young].sort());
});

test('says when its folder cannot be written to', async () => {
  expect(await clips.isWritable()).toBe(true);
  await rm(folder, { recursive: true });
  expect(await clips.isWritable()).toBe(false);
});
