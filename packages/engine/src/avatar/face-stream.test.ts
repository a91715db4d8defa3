import { describe, expect, test } from 'vitest';
import { createVideoDecoder, psnr } from '../../../../test/support/seen-video.ts';
import { createIllustrated } from '../adapters/canvas-illustrated.ts';
import { createVideoEncoder } from '../adapters/node-av-video.ts';
import type { EncodedFrame, MouthShape, Renderer, Speech, VideoCodec, VideoEncoder } from '../media/ports.ts';
import { createFaceStream, type FaceStream, FaceUnavailable } from './face-stream.ts';
import { IdleLoops, type OpenVideoEncoder } from './idle-loop.ts';
import { restMouth } from './mouth.ts';
import { mouthOpening } from './mouth-opening.ts';
import { shapedMouth } from './viewers-mouth.ts';

const ada = createIllustrated('ada');
const loops = new IdleLoops(createVideoEncoder);
const open: MouthShape = { ...restMouth, sil: 0, aa: 1 };

const speech: Speech = { samples: new Int16Array(0), visemes: [], words: [], engine: 'none' };
const spoken = (mouth: MouthShape | null) => mouth && { mouth, speech, atMs: 0 };

function faceOf(
  codec: VideoCodec,
  options: { readonly renderer?: Renderer; readonly openEncoder?: OpenVideoEncoder; readonly nowMs?: () => number } = {},
) {
  const renderer = options.renderer ?? ada;
  const mouth = shapedMouth(renderer);
  return createFaceStream({ renderer, mouth, codec, loops, openEncoder: createVideoEncoder, bps: 500_000, nowMs: () => 0, ...options });
}

async function play(face: FaceStream, frames: number, mouth: MouthShape | null = null): Promise<EncodedFrame[]> {
  const played: EncodedFrame[] = [];
  for (let i = 0; i < frames; i += 1) played.push(await face.next(spoken(mouth)));
  return played;
}

/** Plays on until the frames are the shared ones again; their number. */
async function playToRest(face: FaceStream, shared: ReadonlySet<EncodedFrame>): Promise<EncodedFrame[]> {
  const played: EncodedFrame[] = [];
  do played.push(await face.next(null));
  while (!shared.has(played.at(-1) ?? { data: new Uint8Array(0), key: false }) && played.length < 60);
  return played;
}

async function sharedFrames(codec: VideoCodec): Promise<ReadonlySet<EncodedFrame>> {
  const loop = loops.of(ada, codec);
  return new Set(await Promise.all([...Array(ada.idleFrames).keys()].map((i) => loop.frame(i))));
}

function openingOf(data: Uint8Array): number {
  return mouthOpening({ data, width: ada.width, height: ada.height });
}

describe.each<VideoCodec>(['VP8', 'H264'])('a face in %s', (codec) => {
  test('at rest is the loop from its beginning, the same bytes for two viewers, and needs no encoder', async () => {
    const opened: VideoEncoder[] = [];
    const openEncoder: OpenVideoEncoder = (format) => {
      const encoder = createVideoEncoder(format);
      opened.push(encoder);
      return encoder;
    };
    const [one, two] = [await play(faceOf(codec, { openEncoder }), 60), await play(faceOf(codec, { openEncoder }), 60)];
    expect(one[0]?.key).toBe(true);
    expect(one.every((frame, i) => frame === two[i])).toBe(true);
    expect(opened).toHaveLength(0);
  });

  test('speaks from a key frame on at once, and rests at a key frame again, without a visible jump', async () => {
    const shared = await sharedFrames(codec);
    using face = faceOf(codec);
    using viewer = createVideoDecoder(codec);
    const before = (await play(face, 40)).map((frame) => viewer.decode(frame));
    const speaking = await play(face, 30, open);
    const spoken = speaking.map((frame) => viewer.decode(frame));
    const settling = await playToRest(face, shared);
    const settled = settling.map((frame) => viewer.decode(frame));

    expect(speaking[0]?.key).toBe(true);
    expect(speaking.slice(1).some(({ key }) => key)).toBe(false);
    expect(settling.at(-1)?.key).toBe(true);
    expect(spoken.every((picture) => openingOf(picture) > 1200)).toBe(true);
    // Closed within 160 ms.
    expect(openingOf(settled[4] ?? new Uint8Array(0))).toBeLessThan(60);
    const [last, first] = [settled.at(-2), settled.at(-1)];
    expect(psnr(last ?? new Uint8Array(0), first ?? new Uint8Array(0))).toBeGreaterThan(34);
    // The body goes on where it was: above the mouth the first speaking frame is as near to the last idle one as frames are.
    const body = (picture: Uint8Array | undefined) => (picture ?? new Uint8Array(0)).subarray(0, ada.width * 270);
    expect(psnr(body(before.at(-1)), body(spoken[0]))).toBeGreaterThan(34);
  });

  test('shows the mouth without blocks from the first words on', async () => {
    using face = createFaceStream({
      renderer: ada,
      mouth: shapedMouth(ada),
      codec,
      loops,
      openEncoder: createVideoEncoder,
      bps: 400_000,
      nowMs: () => 0,
    });
    using viewer = createVideoDecoder(codec);
    for (const frame of await play(face, 30)) viewer.decode(frame);
    for (let i = 0; i < 12; i += 1) {
      const mouth = { ...restMouth, sil: 0, [(['aa', 'U', 'E', 'PP'] as const)[i % 4] ?? 'aa']: 1 };
      const chin = (picture: Uint8Array) => picture.subarray(ada.width * 284, ada.width * 384);
      expect(psnr(chin(viewer.decode(await face.next(spoken(mouth)))), chin(ada.render(30 + i, mouth))), `frame ${i}`).toBeGreaterThan(38);
    }
  });

  test('shows each picture as it was drawn, through rest, speech and rest', async () => {
    using face = faceOf(codec);
    using viewer = createVideoDecoder(codec);
    const mouths = [...Array(10).fill(null), ...Array(20).fill(open), ...Array(2 * ada.idleFrames).fill(null)];
    for (const [position, mouth] of mouths.entries()) {
      const seen = viewer.decode(await face.next(spoken(mouth)));
      if (mouth !== null || position < 10 || position > 34) {
        expect(psnr(seen, ada.render(position, mouth ?? restMouth)), `frame ${position}`).toBeGreaterThan(38);
      }
    }
  });

  test('answers a viewer in need with a key frame at once, at rest and speaking', async () => {
    const shared = await sharedFrames(codec);
    using face = faceOf(codec);
    await play(face, 10);
    face.wantKeyFrame();
    using late = createVideoDecoder(codec);
    const answer = await face.next(null);
    expect(answer.key).toBe(true);
    expect(psnr(late.decode(answer), ada.render(10, restMouth))).toBeGreaterThan(38);
    for (const frame of await playToRest(face, shared)) late.decode(frame);
    await play(face, 8, open);
    face.wantKeyFrame();
    expect((await face.next(spoken(open))).key).toBe(true);
  });
});

test('a viewer that asks all the time gets five key frames a second, not twenty-five', async () => {
  using face = faceOf('VP8');
  let keys = 0;
  for (let i = 0; i < 50; i += 1) {
    face.wantKeyFrame();
    if ((await face.next(null)).key) keys += 1;
  }
  expect(keys).toBeGreaterThanOrEqual(8);
  expect(keys).toBeLessThanOrEqual(11);
});

test('a new bitrate reaches the encoder, a nearly equal one does not', async () => {
  const asked: number[] = [];
  using face = faceOf('VP8', {
    openEncoder: (format) => {
      const encoder = createVideoEncoder(format);
      return { ...encoder, setBitrate: (bps) => asked.push(bps) };
    },
  });
  await play(face, 2, open);
  for (const bps of [520_000, 300_000, 290_000, 600_000]) face.setBitrate(bps);
  expect(asked).toEqual([300_000, 600_000]);
});

test('five seconds at rest give the encoder back', async () => {
  let living = 0;
  using face = faceOf('VP8', {
    openEncoder: (format) => {
      const encoder = createVideoEncoder(format);
      living += 1;
      return {
        ...encoder,
        [Symbol.dispose]() {
          living -= 1;
          encoder[Symbol.dispose]();
        },
      };
    },
  });
  await play(face, 3, open);
  await play(face, 60);
  expect(living).toBe(1);
  await play(face, 100);
  expect(living).toBe(0);
  expect((await face.next(spoken(open))).key).toBe(true);
});

test.each<VideoCodec>(['VP8', 'H264'])('a hundred viewers that came and went leave no %s encoder behind', async (codec) => {
  const visit = async () => {
    using face = faceOf(codec);
    await play(face, 2, open);
    face.setBitrate(180_000);
    await play(face, 2, open);
  };
  for (let i = 0; i < 20; i += 1) await visit();
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 100; i += 1) await visit();
  // Two encoders a visit, of some MB each: 200 MB and more when they stay.
  expect(process.memoryUsage.rss() - before).toBeLessThan(120_000_000);
});

test('viewers of one face who are drawn in the same moment each get the mouth of their own', async () => {
  const mouths = (['aa', 'U', 'PP', 'O'] as const).map((viseme) => ({ ...restMouth, sil: 0, [viseme]: 1 }));
  const faces = mouths.map(() => faceOf('VP8'));
  const viewers = mouths.map(() => createVideoDecoder('VP8'));
  for (let position = 0; position < 8; position += 1) {
    // All ask before any is encoded: the renderer has one picture for all of them.
    const frames = await Promise.all(faces.map((face, nth) => face.next(spoken(mouths[nth] ?? null))));
    for (const [nth, frame] of frames.entries()) {
      const seen = viewers[nth]?.decode(frame) ?? new Uint8Array(0);
      expect(psnr(seen, ada.render(position, mouths[nth] ?? restMouth)), `viewer ${nth}, frame ${position}`).toBeGreaterThan(38);
    }
  }
  for (const each of [...faces, ...viewers]) each[Symbol.dispose]();
});

describe('a face that cannot be shown speaking', () => {
  test('says so when drawing keeps taking longer than the frame lasts, and still shows the idle loop', async () => {
    let now = 0;
    using face = faceOf('VP8', {
      nowMs: () => {
        now += 45;
        return now;
      },
    });
    using viewer = createVideoDecoder('VP8');
    for (const frame of await play(face, 10)) viewer.decode(frame);
    for (const frame of await play(face, 24, open)) viewer.decode(frame);
    await expect(face.next(spoken(open))).rejects.toMatchObject({ name: 'FaceUnavailable', code: 'too_slow' });
    const after = await play(face, 30);
    expect(after[0]?.key).toBe(true);
    for (const [i, frame] of after.entries()) expect(psnr(viewer.decode(frame), ada.render(50 + i, restMouth))).toBeGreaterThan(38);
  });

  test('says so when drawing fails', async () => {
    const failing: Renderer = {
      ...ada,
      render(position, mouth) {
        if (mouth === open) throw new Error('no canvas');
        return ada.render(position, mouth);
      },
    };
    using face = faceOf('VP8', { renderer: failing });
    await play(face, 3);
    await expect(face.next(spoken(open))).rejects.toBeInstanceOf(FaceUnavailable);
    expect((await face.next(null)).key).toBe(true);
  });
});
