import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openMuseTalkGraphs } from '../../packages/engine/src/adapters/musetalk-graphs.ts';
import { openMuseTalk } from '../../packages/engine/src/avatar/musetalk/models.ts';
import type { Pixels } from '../../packages/engine/src/avatar/musetalk/resize.ts';
import { audioPrompt } from '../../packages/engine/src/avatar/musetalk/windows.ts';
import { writeTinyMuseTalk } from '../support/tiny-musetalk.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'musetalk-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

const nowMs = () => performance.now();
const opened = () => openMuseTalk({ folder, open: openMuseTalkGraphs, nowMs });

function picture(side: number, of: (x: number, y: number, channel: number) => number): Pixels {
  const data = Uint8Array.from({ length: side * side * 3 }, (_, index) =>
    of(Math.floor(index / 3) % side, Math.floor(index / 3 / side), index % 3),
  );
  return { data, width: side, height: side, channels: 3 };
}
const meanOf = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

describe('MuseTalk on graphs of the real signatures', () => {
  test('says which device it runs on, and why', async () => {
    writeTinyMuseTalk(folder);
    await using musetalk = await opened();
    expect(musetalk.device.reason).toMatch(musetalk.device.name === 'cpu' ? /CUDA could not be opened: ./ : /installed/);
    expect(musetalk.windowOffsetMs).toBe(-80);
  });

  test('a face is drawn from a picture and a sound, the same alone and in a batch', async () => {
    writeTinyMuseTalk(folder);
    await using musetalk = await opened();
    const latents = await musetalk.encode(picture(256, (x, y) => (x + y) / 2));
    const states = await musetalk.hear(
      Float32Array.from({ length: 16_000 }, (_, index) => Math.sin(index * 0.2) * (index > 8_000 ? 0.5 : 0)),
    );
    expect(states.steps).toBe(50);
    const input = (frame: number) => ({ latents, audio: audioPrompt(states, { frame, offsetMs: musetalk.windowOffsetMs }) });
    const [silent, loud] = await musetalk.draw([input(2), input(18)]);
    const [alone] = await musetalk.draw([input(18)]);
    expect(loud).toMatchObject({ width: 256, height: 256, channels: 3 });
    expect(loud?.data).toEqual(alone?.data);
    expect(loud?.data).not.toEqual(silent?.data);
  });

  test('the encoder sees the lower half black in the first four latents, and the whole face in the others', async () => {
    writeTinyMuseTalk(folder);
    await using musetalk = await opened();
    const latents = await musetalk.encode(picture(256, () => 255));
    const half = 2 * 1_024;
    const channel = (index: number) => latents.subarray(index * 1_024, (index + 1) * 1_024);
    expect(latents).toHaveLength(4 * half);
    // White is 1 and black -1 after (x - 0.5) / 0.5; times 0.18215, which this export leaves to us.
    expect(channel(0)[0]).toBeCloseTo(0.18215, 4);
    expect(channel(0)[1_023]).toBeCloseTo(-0.18215, 4);
    expect(meanOf(channel(0))).toBeCloseTo(0, 5);
    expect(meanOf(channel(4))).toBeCloseTo(0.18215, 4);
  });

  test('what a graph scales itself is not scaled again', async () => {
    writeTinyMuseTalk(folder);
    const manifest = JSON.parse(readFileSync(join(folder, 'musetalk.json'), 'utf8'));
    writeTinyMuseTalk(folder, { manifest: { encoder: { ...manifest.encoder, scaling: 'inside' } } });
    await using musetalk = await opened();
    expect((await musetalk.encode(picture(256, () => 255)))[0]).toBeCloseTo(1, 4);
  });

  test('a picture is parsed into classes', async () => {
    writeTinyMuseTalk(folder);
    await using musetalk = await opened();
    const classes = await musetalk.parse(picture(64, (x, _y, channel) => (channel === (x < 32 ? 0 : 1) ? 255 : 0)));
    expect([classes.length, classes[0], classes[511]]).toEqual([512 * 512, 1, 12]);
  });

  test('a machine that needs too long for a frame is not used live', async () => {
    writeTinyMuseTalk(folder);
    let clockMs = 0;
    const slow = () => {
      clockMs += 100;
      return clockMs;
    };
    await using musetalk = await openMuseTalk({ folder, open: openMuseTalkGraphs, nowMs: slow });
    expect(musetalk.live).toMatchObject({ live: true, framesPerSecond: 80 });
    const slower = () => 4 * slow();
    await using refusedLive = await openMuseTalk({ folder, open: openMuseTalkGraphs, nowMs: slower });
    expect(refusedLive.live).toMatchObject({ live: false, framesPerSecond: 2.5, reason: expect.stringContaining('25 are needed') });
  });

  test.for([
    ['flat', 'flat face'],
    ['no-numbers', 'no numbers'],
  ] as const)('a decoder that paints %s is refused', async ([decoder, said]) => {
    writeTinyMuseTalk(folder, { decoder });
    await expect(opened()).rejects.toMatchObject({ code: 'self_test_failed', message: expect.stringContaining(said) });
  });
});

describe('a folder that cannot be used', () => {
  const refused = async (code: string, said: RegExp) => {
    await expect(opened()).rejects.toMatchObject({ name: 'MuseTalkUnavailable', code, message: expect.stringMatching(said) });
  };

  test('without a manifest says where it belongs', () => refused('manifest_missing', /musetalk\.json; write one as/));

  test('with a manifest that is no JSON', async () => {
    writeFileSync(join(folder, 'musetalk.json'), '{');
    await refused('manifest_invalid', /no manifest/);
  });

  test('with a wrong field names it', async () => {
    writeTinyMuseTalk(folder, { manifest: { windowOffsetMs: 7 } });
    await refused('manifest_invalid', /windowOffsetMs/);
  });

  test.for(['../unet.onnx', '/etc/passwd', 'a/../../b'])('with the file %s outside of it', async (file) => {
    writeTinyMuseTalk(folder, { manifest: { unet: { file, sha256: '0'.repeat(64), names: {} } } });
    await refused('manifest_invalid', /unet\.file/);
  });

  test('with a file gone', async () => {
    writeTinyMuseTalk(folder);
    rmSync(join(folder, 'parsing.onnx'));
    await refused('file_missing', /parsing\.onnx cannot be read; export it again/);
  });

  test('with another file than its hash says', async () => {
    writeTinyMuseTalk(folder);
    appendFileSync(join(folder, 'unet.onnx'), 'x');
    await refused('hash_mismatch', /unet\.onnx has SHA-256 [0-9a-f]{64}, not/);
  });

  test('with a graph of other names lists those it has', async () => {
    writeTinyMuseTalk(folder);
    const { unet } = JSON.parse(readFileSync(join(folder, 'musetalk.json'), 'utf8'));
    writeTinyMuseTalk(folder, { manifest: { unet: { ...unet, names: { ...unet.names, audio: 'audio_prompts' } } } });
    await refused('wrong_signature', /has no audio_prompts; its ports are sample, timestep, encoder_hidden_states, out_sample/);
  });

  test('with the encoder where the decoder belongs', async () => {
    writeTinyMuseTalk(folder);
    const { encoder, decoder } = JSON.parse(readFileSync(join(folder, 'musetalk.json'), 'utf8'));
    writeTinyMuseTalk(folder, { manifest: { decoder: { ...decoder, ...encoder, names: { latents: 'sample', image: 'latent_sample' } } } });
    await refused('inference_failed', /encoder\.onnx fails on cpu/);
  });

  test('with a file that is no model', async () => {
    writeTinyMuseTalk(folder);
    const { whisper } = JSON.parse(readFileSync(join(folder, 'musetalk.json'), 'utf8'));
    const sha256 = createHash('sha256').update('no model').digest('hex');
    writeTinyMuseTalk(folder, { manifest: { whisper: { ...whisper, sha256 } } });
    writeFileSync(join(folder, 'whisper.onnx'), 'no model');
    await refused('not_loadable', /does not open on cpu/);
  });
});
