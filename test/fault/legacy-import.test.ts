import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AvatarId, TenantId } from '@virtual-tutor/schemas';
import { createTutorClient } from '@virtual-tutor/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClipFolders } from '../../packages/server/src/avatars/clip-folders.ts';
import { startEngine } from '../support/engine.ts';
import { film } from '../support/filmed-clip.ts';
import { legacyFiles, packedArchive, pngOf, writeLegacyFolder } from '../support/legacy-avatar.ts';
import { uploadContent } from '../support/upload-content.ts';

const avatarId = AvatarId.parse('0198a1b2-0000-7000-8000-000000000001');
const script = new URL('../support/import-child.ts', import.meta.url).pathname;
const files = legacyFiles({ frames: Array.from({ length: 40 }, (_, i) => uploadContent(1_500_000 + i)) });

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'legacy-killed-'));
  await writeLegacyFolder(join(root, 'clips', 'ms-li'), files);
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('killed in the middle of copying, an import leaves nothing behind, and done again it is whole', async () => {
  const avatars = join(root, 'avatars');
  const archive = packedArchive(files);
  const options = { folder: avatars, clipsFolder: join(root, 'clips'), maxClipBytes: 1e9, uploadBytes: 1e9 };
  for (const killedAt of [0, 1, 5_000_000, 20_000_000]) {
    const child = spawn(process.execPath, [script, avatars, join(root, 'clips'), 'ms-li', avatarId, String(killedAt)], {
      stdio: 'inherit',
    });
    expect(await once(child, 'close')).toEqual([null, 'SIGKILL']);
    expect(await readdir(join(avatars, avatarId))).toEqual(['source.draft']);
    expect(statSync(join(avatars, avatarId, 'source.draft')).size).toBeLessThan(archive.length);
    await ClipFolders.open(options);
    expect(await readdir(avatars)).toEqual(['.uploads']);
  }
  const clips = await ClipFolders.open(options);
  const adopted = await clips.adopt(TenantId.parse('north'), { avatarId, source: { type: 'path', path: 'ms-li' } });
  expect(adopted).toEqual({ bytes: archive.length, sha256: createHash('sha256').update(archive).digest('hex') });
  expect(await readdir(join(avatars, avatarId))).toEqual(['source']);
});

test.runIf(process.env['LONG'] === '1')(
  'a folder of 3 s by its path becomes a face, though the engine is killed in the middle of it',
  async () => {
    const some = (await film({ frames: 20, width: 320, height: 240, eyesPx: 50 })).map(pngOf);
    const frames = Array.from({ length: 80 }, (_, i) => some[19 - Math.abs(19 - (i % 38))] ?? new Uint8Array());
    await writeLegacyFolder(join(root, 'clips', 'ms-hopper'), legacyFiles({ frames }));
    await using engine = await startEngine({ ENABLE_AVATAR: 'true', AVATAR_CLIPS_DIR: join(root, 'clips') });
    const { avatars } = createTutorClient({ url: engine.url, apiKey: engine.apiKey });
    const consent = { by: 'Grace Hopper', statement: 'You may use my face.' };
    const { id } = await avatars.create({ path: 'ms-hopper', name: 'Ms Hopper', fileName: '', consent });
    for await (const { progress } of avatars.watch(id)) if (progress?.stage === 'face' && progress.fraction >= 0.3) break;
    await engine.kill();
    await engine.restart();
    const seen: string[] = [];
    for await (const { status } of avatars.watch(id)) seen.push(status);
    expect(seen.at(-1)).toBe('ready');
    expect(await readdir(join(engine.dataDir, 'avatars', id))).not.toContain('source');
  },
  120_000,
);
