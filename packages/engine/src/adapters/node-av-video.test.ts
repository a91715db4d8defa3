import { describe, expect, test } from 'vitest';
import { createVideoDecoder, psnr } from '../../../../test/support/seen-video.ts';
import type { EncodedFrame, VideoCodec } from '../media/ports.ts';
import { createVideoEncoder } from './node-av-video.ts';

const width = 256;
const height = 256;
const key = { key: true };
const delta = { key: false };

/** A gradient with a bright square that moves with the frame; `noise` makes it costly. */
function picture(index: number, noise = 1): Uint8Array {
  const i420 = new Uint8Array((width * height * 3) / 2).fill(128);
  let seed = index + 1;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      const inSquare = Math.abs(x - 60 - (index % 50) * 2) < 20 && Math.abs(y - 128) < 20;
      i420[y * width + x] = (inSquare ? 200 : 40 + x / 4 + y / 8) + ((seed >> 8) % noise);
    }
  }
  return i420;
}

function bytesOf(frames: readonly EncodedFrame[]): number {
  return frames.reduce((sum, { data }) => sum + data.length, 0);
}

describe.each<VideoCodec>(['VP8', 'H264'])('%s', (codec) => {
  test('a viewer sees the pictures that went in', async () => {
    using encoder = createVideoEncoder({ codec, width, height, bps: 400_000, effort: 'live' });
    using viewer = createVideoDecoder(codec);
    for (let i = 0; i < 30; i += 1) {
      const seen = viewer.decode(await encoder.encode(picture(i), delta));
      expect(psnr(seen, picture(i)), `frame ${i}`).toBeGreaterThan(30);
    }
  });

  test('a picture that is drawn over as soon as it was handed in is seen as it was', async () => {
    using encoder = createVideoEncoder({ codec, width, height, bps: 400_000, effort: 'live' });
    using viewer = createVideoDecoder(codec);
    const shared = new Uint8Array(picture(0).length);
    for (let i = 0; i < 10; i += 1) {
      shared.set(picture(i));
      const encoded = encoder.encode(shared, delta);
      shared.fill(16);
      expect(psnr(viewer.decode(await encoded), picture(i)), `frame ${i}`).toBeGreaterThan(30);
    }
  });

  test('only the first frame and those asked for are key frames', async () => {
    using encoder = createVideoEncoder({ codec, width, height, bps: 400_000, effort: 'live' });
    const keys: number[] = [];
    for (let i = 0; i < 60; i += 1) {
      // A cut to another picture: encoders like to answer with a key frame.
      const shown = i < 30 ? picture(i) : picture(i).map((value) => 255 - value);
      if ((await encoder.encode(shown, { key: i === 40 })).key) keys.push(i);
    }
    expect(keys).toEqual([0, 40]);
  });

  test('a viewer may join at any key frame', async () => {
    using encoder = createVideoEncoder({ codec, width, height, bps: 400_000, effort: 'live' });
    for (let i = 0; i < 7; i += 1) await encoder.encode(picture(i), delta);
    using viewer = createVideoDecoder(codec);
    expect(psnr(viewer.decode(await encoder.encode(picture(7), key)), picture(7))).toBeGreaterThan(30);
    expect(psnr(viewer.decode(await encoder.encode(picture(8), delta)), picture(8))).toBeGreaterThan(30);
  });

  test('a new bitrate holds from the next frame on, and the viewer follows', async () => {
    using encoder = createVideoEncoder({ codec, width, height, bps: 1_000_000, effort: 'live' });
    using viewer = createVideoDecoder(codec);
    const frames: EncodedFrame[] = [];
    for (let i = 0; i < 150; i += 1) {
      if (i === 50) encoder.setBitrate(150_000);
      frames.push(await encoder.encode(picture(i, 40), delta));
    }
    const rich = bytesOf(frames.slice(25, 50));
    const poor = bytesOf(frames.slice(125, 150));
    expect(poor).toBeLessThan(rich / 3);
    expect(poor * 8).toBeLessThan(150_000 * 1.3);
    for (const frame of frames) viewer.decode(frame);
  });

  test('closing during a frame lets that frame finish', async () => {
    const encoder = createVideoEncoder({ codec, width, height, bps: 400_000, effort: 'live' });
    const frame = encoder.encode(picture(0), delta);
    encoder[Symbol.dispose]();
    encoder[Symbol.dispose]();
    expect((await frame).data.length).toBeGreaterThan(0);
    await expect(encoder.encode(picture(1), delta)).rejects.toThrow('closed');
  });

  test('two frames at once are refused, not mixed', async () => {
    using encoder = createVideoEncoder({ codec, width, height, bps: 400_000, effort: 'live' });
    const first = encoder.encode(picture(0), delta);
    await expect(encoder.encode(picture(1), delta)).rejects.toThrow('busy');
    expect((await first).key).toBe(true);
  });
});

test('H.264 takes a slightly changed network without a key frame', async () => {
  using encoder = createVideoEncoder({ codec: 'H264', width, height, bps: 600_000, effort: 'live' });
  await encoder.encode(picture(0), delta);
  encoder.setBitrate(300_000);
  expect((await encoder.encode(picture(1), delta)).key).toBe(false);
});

test('H.264 frames are whole Annex B access units, with parameter sets before each key frame', async () => {
  using encoder = createVideoEncoder({ codec: 'H264', width, height, bps: 400_000, effort: 'live' });
  const nalTypes = ({ data }: EncodedFrame) =>
    [...data.keys()].filter((i) => data[i] === 0 && data[i + 1] === 0 && data[i + 2] === 1).map((i) => (data[i + 3] ?? 0) & 0x1f);
  expect(nalTypes(await encoder.encode(picture(0), key))).toEqual(expect.arrayContaining([7, 8, 5]));
  expect(nalTypes(await encoder.encode(picture(1), delta))).toEqual([1]);
  expect(nalTypes(await encoder.encode(picture(2), key)).slice(0, 2)).toEqual([7, 8]);
});
