import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { legacyFiles, packedArchive } from '../../../../test/support/legacy-avatar.ts';
import { makePng } from '../../../../test/support/made-photos.ts';
import { probeClip, readCrop, readPictures } from './node-av-clip.ts';

const limits = { maxDurationMs: 60_000, maxPixels: 9_000_000 };

/** Each frame is greyer than the one before; its right half is red. */
const greyOf = (frame: number) => 30 + 40 * frame;
const frameOf = (frame: number) => {
  const grey = greyOf(frame);
  return makePng({ width: 64, height: 48, colourAt: (x) => (x < 32 ? [grey, grey, grey] : [200, 10 + frame, 10]) });
};
const frames = [0, 1, 2, 3, 4].map(frameOf);

let folder: string;
let source: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'legacy-'));
  source = await archived(frames);
});
afterAll(() => rm(folder, { recursive: true }));

let made = 0;
async function archived(pictures: readonly Uint8Array[]): Promise<string> {
  made += 1;
  const path = join(folder, `${made}`);
  await writeFile(path, packedArchive(legacyFiles({ frames: pictures })));
  return path;
}

test('the frames of the predecessor are a film of 25 a second', async () => {
  expect(await probeClip(source, limits)).toEqual({ container: 'legacy', width: 64, height: 48, durationMs: 200, still: false });
  const pictures = await Array.fromAsync(readPictures(source, { limits, longSidePx: 32 }));
  expect(pictures.map(({ width, height }) => [width, height])).toEqual(new Array(5).fill([32, 24]));
  for (const [i, { data }] of pictures.entries()) {
    expect(data.subarray(3 * (12 * 32 + 8), 3 * (12 * 32 + 8) + 3), `frame ${i}`).toEqual(new Uint8Array(3).fill(greyOf(i)));
    const right = [...data.subarray(3 * (12 * 32 + 24), 3 * (12 * 32 + 24) + 3)];
    expect(Math.hypot(...right.map((level, channel) => level - ([200, 10 + i, 10][channel] ?? 0))), `frame ${i}`).toBeLessThan(3);
  }
});

test('a part of it is cut, in the pixels of its frames', async () => {
  const cut = await Array.fromAsync(readCrop(source, { limits, square: { x: 8, y: 16, side: 16 }, size: 16, first: 1, end: 4 }));
  expect(cut.map((frame) => frame.length)).toEqual([384, 384, 384]);
  // BT.601, video range.
  for (const [i, frame] of cut.entries())
    expect(Math.abs((frame[100] ?? 0) - (16 + (greyOf(i + 1) * 219) / 255)), `${i}`).toBeLessThan(1.5);
  expect(await Array.fromAsync(readCrop(source, { limits, square: { x: 0, y: 0, side: 16 }, size: 16, first: 4, end: 9 }))).toHaveLength(1);
});

test('what goes to and fro is taken once', async () => {
  const path = await archived([...frames, ...frames.toReversed()]);
  expect(await probeClip(path, limits)).toMatchObject({ durationMs: 200 });
  expect(await Array.fromAsync(readPictures(path, { limits, longSidePx: 32 }))).toHaveLength(5);
});

test('one frame is one picture', async () => {
  const path = await archived(frames.slice(0, 1));
  expect(await probeClip(path, limits)).toMatchObject({ durationMs: 40 });
  expect(await Array.fromAsync(readPictures(path, { limits, longSidePx: 32 }))).toHaveLength(1);
});

test('frames are not shown longer than a clip may last', async () => {
  await expect(probeClip(source, { ...limits, maxDurationMs: 199 })).rejects.toMatchObject({ code: 'too_long' });
  await expect(probeClip(source, { ...limits, maxPixels: 64 * 48 - 1 })).rejects.toMatchObject({ code: 'too_heavy' });
});

test('reading ends when it is no longer wanted', async () => {
  const stop = new AbortController();
  const pictures = readPictures(source, { limits, longSidePx: 32, signal: stop.signal });
  await pictures.next();
  stop.abort();
  await expect(pictures.next()).rejects.toMatchObject({ name: 'AbortError' });
});
