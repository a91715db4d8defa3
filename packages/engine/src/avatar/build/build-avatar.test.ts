import { spawnSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AvatarStage, avatarStages } from '@virtual-tutor/schemas';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { film, writeFilm } from '../../../../../test/support/filmed-clip.ts';
import { openFaceFinder } from '../../adapters/face-api.ts';
import { FaceFacts } from '../artifact/face-file.ts';
import { files } from '../artifact/manifest.ts';
import { openAvatar } from '../artifact/open-avatar.ts';
import type { FaceFinder } from '../face/ports.ts';
import { restMouth } from '../mouth.ts';
import type { Build } from './build.ts';
import { buildAvatar } from './build-avatar.ts';

const photoOf = (person: string) => fileURLToPath(new URL(`../../../../../test/support/faces/${person}.jpg`, import.meta.url));
const limits = { maxDurationMs: 60_000, maxPixels: 4096 * 2304 };

let finder: FaceFinder;
let folder: string;
beforeAll(async () => {
  finder = await openFaceFinder();
});
afterAll(() => finder[Symbol.asyncDispose]());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'build-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function building(changes: Partial<Build> = {}): Build {
  return { folder, finder, limits, onProgress: () => {}, signal: new AbortController().signal, ...changes };
}

/** A film is built by `test/e2e/console-faces.test.ts` in every run, and killed at each stage by `main.test.ts`. */
const inFull = test.runIf(process.env['LONG'] === '1');
const avatarFiles = Object.values(files).toSorted();

async function embeddingIn(built: string): Promise<readonly number[]> {
  return FaceFacts.parse(JSON.parse(await readFile(join(built, files.face), 'utf8'))).embedding;
}

/** A clip of 3 s that plays to and fro what a second holds. */
async function writeClip(path: string): Promise<void> {
  const pictures = await film({ frames: 20, width: 320, height: 240, eyesPx: 50 });
  const order = Array.from({ length: 76 }, (_, i) => 19 - Math.abs(19 - (i % 38)));
  await writeFilm(
    path,
    order.flatMap((i) => pictures[i] ?? []),
    25,
  );
}

inFull('a film becomes a face that is worn, and leaves nothing else', async () => {
  await writeClip(join(folder, 'clip.mp4'));
  await rename(join(folder, 'clip.mp4'), join(folder, 'source'));
  const told: string[] = [];
  const outcome = await buildAvatar(building({ onProgress: (stage, fraction) => told.push(`${stage} ${fraction}`) }));
  if (outcome.status !== 'ready') throw new Error(`it was rejected: ${JSON.stringify(outcome.reasons)}`);
  expect((await readdir(folder)).toSorted()).toEqual(avatarFiles);
  expect(told).toEqual([...new Set(told)]);
  expect([...new Set(told.map((line) => line.split(' ')[0]))]).toEqual(avatarStages);
  for (const stage of avatarStages) expect(told.filter((line) => line.startsWith(stage)).at(-1)).toBe(`${stage} 1`);

  const { manifest, renderer } = await openAvatar(folder);
  expect(manifest).toEqual(outcome.manifest);
  expect(manifest.frames).toBeGreaterThanOrEqual(75);
  expect(manifest.order).toHaveLength(2 * manifest.frames - 2);
  expect(outcome.quality.faceHeightPx / 512).toBeGreaterThan(0.36);
  expect(outcome.quality.faceHeightPx / 512).toBeLessThan(0.5);
  expect(renderer.render(0, { ...restMouth, sil: 0, aa: 1 })).not.toEqual(renderer.render(0, restMouth));
});

test('a photo becomes a face that stands still; built already, it is ready at once; damaged, it is built anew', async () => {
  const source = join(folder, 'source');
  await copyFile(photoOf('hopper'), source);
  const first = await buildAvatar(building());
  expect(first).toMatchObject({ status: 'ready', manifest: { frames: 1, order: new Array(100).fill(0) } });
  expect((await openAvatar(folder)).idle.map(({ key }) => key).indexOf(true, 1)).toBe(25);
  expect(await embeddingIn(folder)).toHaveLength(128);

  await mkdir(join(folder, 'work'));
  expect(await buildAvatar(building())).toEqual(first);
  expect((await readdir(folder)).toSorted()).toEqual(avatarFiles);

  await rm(join(folder, files.idle));
  await expect(buildAvatar(building())).rejects.toMatchObject({ code: 'source_missing' });
  await copyFile(photoOf('hopper'), source);
  const controller = new AbortController();
  const onProgress = (stage: AvatarStage) => stage === 'idle' && controller.abort();
  await expect(buildAvatar(building({ onProgress, signal: controller.signal }))).rejects.toMatchObject({ name: 'AbortError' });
  expect(await buildAvatar(building())).toEqual(first);
  await openAvatar(folder);
});

test('a smile that shows teeth is rejected, with a picture of it', async () => {
  await copyFile(photoOf('collins'), join(folder, 'source'));
  const outcome = await buildAvatar(building());
  expect(outcome).toMatchObject({ status: 'rejected', reasons: [{ code: 'mouth_open', atMs: 0, picture: { name: 'fault-1.jpg' } }] });
  expect((await readdir(folder)).toSorted()).toEqual(['fault-1.jpg', 'source']);
  expect((await readFile(join(folder, 'fault-1.jpg'))).subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
});

test('what is no clip is rejected without a picture', async () => {
  await copyFile(fileURLToPath(import.meta.url), join(folder, 'source'));
  const outcome = await buildAvatar(building());
  expect(outcome).toEqual({ status: 'rejected', reasons: [{ code: 'not_a_video', atMs: null, picture: null }] });
  expect(await readdir(folder)).toEqual(['source']);
});

test('without a clip there is nothing to build', async () => {
  await expect(buildAvatar(building())).rejects.toMatchObject({ code: 'source_missing' });
});

const canMount = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0;
const diskBytes = 8 * 1024 * 1024;

describe.skipIf(!canMount)('a full disk (needs root, to mount a small one)', () => {
  beforeEach(() => {
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', folder], { encoding: 'utf8' });
    if (mounted.status !== 0) throw new Error(`cannot mount a small disk: ${mounted.stderr}`);
  });
  afterEach(() => {
    // Refused while anything on it is still open.
    expect(spawnSync('umount', [folder], { encoding: 'utf8' }).stderr).toBe('');
  });

  test('stops every stage, and the build goes on when there is room', async () => {
    const avatar = join(folder, 'avatar');
    const filler = join(folder, 'filler');
    await mkdir(avatar);
    await copyFile(photoOf('hopper'), join(avatar, 'source'));
    const stops = ['probe 0', 'frames 0', 'idle 0', 'renderer 0', 'renderer 1'];
    for (const stop of stops) {
      const onProgress = (stage: AvatarStage, fraction: number) => {
        if (`${stage} ${fraction}` !== stop) return;
        const { bavail, bsize } = statfsSync(folder);
        writeFileSync(filler, new Uint8Array(bavail * bsize));
      };
      await expect(buildAvatar(building({ folder: avatar, onProgress })), stop).rejects.toMatchObject({ code: 'disk_full' });
      const left = await readdir(avatar, { recursive: true });
      expect(
        left.filter((name) => name.endsWith('.draft') || name === files.manifest),
        stop,
      ).toEqual([]);
      rmSync(filler);
    }
    expect(await buildAvatar(building({ folder: avatar }))).toMatchObject({ status: 'ready' });
    await openAvatar(avatar);
    expect((await readdir(avatar)).toSorted()).toEqual(avatarFiles);
  });
});
