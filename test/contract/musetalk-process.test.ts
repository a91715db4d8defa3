import { appendFile, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { avatarSize } from '../../packages/engine/src/avatar/artifact/manifest.ts';
import { writeAvatar } from '../../packages/engine/src/avatar/artifact/write-avatar.ts';
import { MuseTalkProcess } from '../../packages/engine/src/avatar/musetalk/musetalk-process.ts';
import { audioPrompt } from '../../packages/engine/src/avatar/musetalk/windows.ts';
import { drawnFace, swaying } from '../support/drawn-face.ts';
import { until } from '../support/relays.ts';
import { writeTinyMuseTalk } from '../support/tiny-musetalk.ts';

const order = [0, 1, 0];
const speech = (seconds: number) => ({
  samples: Int16Array.from({ length: 48_000 * seconds }, (_, i) => 9_000 * Math.sin(i * 0.05)),
  visemes: [],
  words: [],
  engine: 'none',
});

let base: string;
let models: string;
let avatar: string;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'musetalk-process-'));
  models = join(base, 'models');
  avatar = join(base, 'avatar');
  writeTinyMuseTalk(models);
  const face = drawnFace(avatarSize, swaying(2));
  await mkdir(avatar);
  await writeAvatar(avatar, face.frames, {
    order,
    landmarks: face.landmarks,
    quality: { faceHeightPx: 210, brightness: 140, mouthOpening: 0.01, turn: 0.02, motion: 0.004 },
    source: { sha256: '0'.repeat(64), first: 0, square: { x: 0, y: 0, side: 512 } },
    face: { embedding: [], frames: [] },
  });
});
afterAll(() => rm(base, { recursive: true, force: true }));

function started(folder: string): MuseTalkProcess {
  const process = new MuseTalkProcess({ folder, againMs: 100 });
  onTestFinished(() => process[Symbol.asyncDispose]());
  return process;
}

describe('MuseTalk in a process of its own', () => {
  test('dresses an avatar once, hears a sentence, paints a mouth, and is replaced when it dies', async () => {
    const muse = started(models);
    let changes = 0;
    muse.onChange(() => {
      changes += 1;
    });
    expect([muse.live, muse.health().status]).toEqual([null, 'degraded']);
    const dress = await muse.dress(avatar);
    expect(changes).toBe(1);
    expect(muse.health()).toMatchObject({ status: 'ok', runsOn: expect.stringMatching(/^cpu, \d+ frames a second$/) });
    expect(dress).toHaveLength(order.length);
    expect(dress?.[0]).toEqual(dress?.[2]);
    const [first, second] = dress ?? [];
    expect(first?.latents).not.toEqual(second?.latents);

    const made = join(avatar, 'musetalk.bin');
    const { mtimeMs } = await stat(made);
    expect(await muse.dress(avatar)).toEqual(dress);
    expect((await stat(made)).mtimeMs).toBe(mtimeMs);
    await appendFile(made, 'x');
    expect(await muse.dress(avatar)).toEqual(dress);
    expect((await stat(made)).mtimeMs).toBeGreaterThan(mtimeMs);

    const { live } = muse;
    if (live === null || first === undefined || first === null) throw new Error('it was live');
    // Longer than Whisper hears at once.
    const states = await live.hear(speech(31));
    expect(states?.steps).toBe(31 * 50);
    if (states === null) throw new Error('it was heard');
    const { mask, latents } = first;
    const request = (frame: number, inMs: number) => ({
      viewer: 'a',
      frame,
      inMs,
      input: { latents, audio: audioPrompt(states, { frame, offsetMs: live.windowOffsetMs }) },
      place: { box: mask.box, part: mask.part },
    });
    const outcome = await live.draw(request(1, 2_000));
    if (outcome.status !== 'drawn') throw new Error(`it was ${outcome.status}`);
    expect(outcome.planes).toHaveLength(mask.luma.length + 2 * mask.chroma.length);
    expect(new Set(outcome.planes).size).toBeGreaterThan(20);
    expect(await live.draw(request(2, -1))).toEqual({ status: 'late' });

    const waits = live.draw(request(3, 60_000));
    live.leave('a');
    expect((await waits).status).not.toBe('failed');
    process.kill(muse.pid ?? 0, 'SIGKILL');
    await until(() => changes === 2);
    expect([muse.live, muse.health().status]).toEqual([null, 'degraded']);
    expect(await live.draw(request(4, 2_000))).toEqual({ status: 'failed' });
    await until(() => muse.live !== null);
    expect(changes).toBe(3);
  }, 60_000);

  test('leaves nothing of what onnxruntime would report to its maker', async () => {
    const home = join(base, 'home');
    await mkdir(home);
    vi.stubEnv('HOME', home);
    onTestFinished(() => void vi.unstubAllEnvs());
    const muse = started(models);
    await until(() => muse.live !== null);
    expect(await readdir(home)).toEqual([]);
  });

  test('without models it says what to do, and dresses nobody', async () => {
    const muse = started(base);
    expect(await muse.dress(avatar)).toBeNull();
    expect(muse.health()).toMatchObject({
      status: 'degraded',
      reason: expect.stringMatching(/musetalk\.json; write one as .* warp renderer/),
    });
  });
});
