import { describe, expect, test } from 'vitest';
import { createVideoDecoder, psnr } from '../../../../test/support/seen-video.ts';
import { createVideoEncoder } from '../adapters/node-av-video.ts';
import type { Renderer, VideoCodec } from '../media/ports.ts';
import { IdleLoops } from './idle-loop.ts';

const width = 64;
const height = 64;
const idleFrames = 75;

/** A dot that goes round once in a loop. */
function goingRound(): Renderer & { readonly drawn: number[] } {
  const drawn: number[] = [];
  return {
    width,
    height,
    idleFrames,
    drawn,
    render(position) {
      drawn.push(position);
      const angle = (2 * Math.PI * position) / idleFrames;
      const [x, y] = [32 + 20 * Math.cos(angle), 32 + 20 * Math.sin(angle)];
      return Uint8Array.from({ length: (width * height * 3) / 2 }, (_, i) =>
        i < width * height ? 60 + 120 * Math.exp(-(((i % width) - x) ** 2 + (Math.floor(i / width) - y) ** 2) / 60) : 128,
      );
    },
  };
}

describe.each<VideoCodec>(['VP8', 'H264'])('an idle loop in %s', (codec) => {
  test('is drawn and encoded once, and its bytes are the same objects for every viewer, round after round', async () => {
    const renderer = goingRound();
    const loops = new IdleLoops(createVideoEncoder);
    const first = await loops.of(renderer, codec).frame(10);
    expect(await loops.of(renderer, codec).frame(10)).toBe(first);
    expect(await loops.of(renderer, codec).frame(10 + idleFrames)).toBe(first);
    await loops.of(renderer, codec).frame(idleFrames - 1);
    expect(renderer.drawn).toEqual([...Array(idleFrames).keys()]);
  });

  test('can be joined once a second, and plays on over its end', async () => {
    const renderer = goingRound();
    const loop = new IdleLoops(createVideoEncoder).of(renderer, codec);
    const keys = await Promise.all([...Array(idleFrames).keys()].map(async (i) => (await loop.frame(i)).key));
    expect(keys.flatMap((key, i) => (key ? [i] : []))).toEqual([0, 25, 50]);
    using viewer = createVideoDecoder(codec);
    for (let position = 25; position < 25 + 2 * idleFrames; position += 1) {
      expect(psnr(viewer.decode(await loop.frame(position)), renderer.render(position, {} as never)), `${position}`).toBeGreaterThan(35);
    }
  });
});

test('the first frame does not wait for the last', async () => {
  const renderer = goingRound();
  await new IdleLoops(createVideoEncoder).of(renderer, 'VP8').frame(0);
  expect(renderer.drawn.length).toBeLessThan(10);
});

test('a loop that could not be encoded is reported to who asks for it, and encoded anew for the next', async () => {
  const renderer = goingRound();
  let opened = 0;
  const loops = new IdleLoops((format) => {
    const encoder = createVideoEncoder(format);
    opened += 1;
    if (opened > 1) return encoder;
    let frames = 0;
    const encode: typeof encoder.encode = async (picture, options) => {
      frames += 1;
      if (frames === 5) throw new Error('out of memory');
      return encoder.encode(picture, options);
    };
    return { ...encoder, encode };
  });
  const failing = loops.of(renderer, 'VP8');
  expect((await failing.frame(3)).data.length).toBeGreaterThan(0);
  await expect(failing.frame(4)).rejects.toThrow('out of memory');
  await expect(failing.frame(60)).rejects.toThrow('out of memory');
  expect((await loops.of(renderer, 'VP8').frame(60)).data.length).toBeGreaterThan(0);
});

test('a loop that is encoded already is adopted as it is: nothing is drawn, and viewers join at its own key frames', async () => {
  const renderer = goingRound();
  const made = new IdleLoops(createVideoEncoder).of(renderer, 'VP8');
  const packets = await Promise.all([...Array(idleFrames).keys()].map((i) => made.frame(i)));
  renderer.drawn.length = 0;
  const loops = new IdleLoops(createVideoEncoder);
  loops.adopt(renderer, 'VP8', packets);
  const loop = loops.of(renderer, 'VP8');
  expect(await Promise.all([0, 30, idleFrames + 30].map((i) => loop.frame(i)))).toEqual([packets[0], packets[30], packets[30]]);
  expect([...Array(2 * idleFrames).keys()].filter((i) => loop.startsAt(i))).toEqual([0, 25, 50, 75, 100, 125]);
  expect(renderer.drawn).toEqual([]);
  // The other codec is encoded when it is asked for.
  await loops.of(renderer, 'H264').frame(idleFrames - 1);
  expect(renderer.drawn).toHaveLength(idleFrames);
});

test.each([
  ['too few packets', 0, idleFrames - 1],
  ['no key frame in front', 1, idleFrames + 1],
  ['no packet at all', 0, 0],
])('a loop with %s is not adopted', async (_, first, end) => {
  const renderer = goingRound();
  const made = new IdleLoops(createVideoEncoder).of(renderer, 'VP8');
  const packets = await Promise.all([...Array(idleFrames + 1).keys()].map((i) => made.frame(i)));
  expect(() => new IdleLoops(createVideoEncoder).adopt(renderer, 'VP8', packets.slice(first, end))).toThrow(RangeError);
});
