import { expect, test } from 'vitest';
import { drawnFace, swaying } from '../../../../../test/support/drawn-face.ts';
import { latentsFile, latentsOf } from '../artifact/latents-file.ts';
import { type DressedFrame, dressFrames } from './dress.ts';

const size = 512;
const face = drawnFace(size, swaying(2));
const encoded = new Float32Array(8 * 32 * 32).fill(1);
/** Sees skin everywhere, and encodes every face alike. */
const musetalk = { parse: async () => new Uint8Array(size * size).fill(1), encode: async () => encoded };
const brought = { box: { x: 150.4, y: 100.2, width: 200.3, height: 260.6 }, latents: encoded.map(() => 0.25) };

async function dressOf(given: Parameters<typeof latentsFile>[0], landmarks = face.landmarks): Promise<(DressedFrame | null)[]> {
  const frames: (DressedFrame | null)[] = [];
  for await (const frame of dressFrames(musetalk, { size, frames: face.frames, landmarks, brought: given })) frames.push(frame);
  return frames;
}

test('each frame has the mask of its own face, and its latents', async () => {
  const [first, second] = await dressOf([]);
  expect(first?.latents).toBe(encoded);
  expect(first?.mask.box).not.toEqual(second?.mask.box);
  expect(Math.max(...(first?.mask.luma ?? []))).toBe(255);
});

test("a predecessor's box and latents go before our own, frame by frame", async () => {
  const [first, second] = await dressOf([null, brought]);
  expect(first?.latents).toBe(encoded);
  expect(second?.latents).toBe(brought.latents);
  expect(second?.mask.box).toEqual({ left: 150, top: 100, right: 351, bottom: 361 });
});

test('a frame without a face has nothing', async () => {
  expect(await dressOf([], [new Float32Array(0), new Float32Array(136).fill(Number.NaN)])).toEqual([null, null]);
});

test('what a predecessor brought is kept as it was', () => {
  const kept = latentsOf(latentsFile([null, brought]));
  expect(kept[0]).toBeNull();
  expect(kept[1]?.latents).toEqual(brought.latents);
  expect(kept[1]?.box.x).toBeCloseTo(150.4, 4);
  expect(() => latentsOf(new Uint8Array(7))).toThrow(RangeError);
});
