import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { latentsNamed, legacyFiles, packedArchive } from '../../../../../test/support/legacy-avatar.ts';
import { makePng } from '../../../../../test/support/made-photos.ts';
import { legacyLatents } from './legacy-latents.ts';

const frame = makePng({ width: 8, height: 8 });
const square = { x: 100, y: 40, side: 256 };
const noNumbers = latentsNamed(5).with(8191, Number.NaN);

let folder: string;
let source: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'legacy-'));
  source = join(folder, 'source');
  const files = legacyFiles({
    frames: new Array(7).fill(frame),
    boxes: [
      [150, 100, 250, 230],
      [0, 0, 0, 0],
      // Its chin, its left cheek and its brow are cut away.
      [150, 100, 250, 297],
      [99, 100, 250, 230],
      [150, 39, 250, 230],
      [160, 100, 250, 230],
      [250, 100, 150, 230],
    ],
    latents: [0, 1, 2, 3, 4].map(latentsNamed).concat(noNumbers, latentsNamed(6)),
  });
  await writeFile(source, packedArchive(files));
});
afterAll(() => rm(folder, { recursive: true }));

test('a frame’s latents come with where the face is in the cut', async () => {
  const [one, other] = await legacyLatents(source, { frames: [0, 0], square });
  expect(one?.box).toEqual({ x: 100, y: 120, width: 200, height: 260 });
  expect(one?.latents).toEqual(latentsNamed(0));
  expect(other).toEqual(one);
});

test('frames are taken by their index in the clip, and only those', async () => {
  const wide = { x: 0, y: 0, side: 512 };
  const found = await legacyLatents(source, { frames: [4, 2, 7], square: wide });
  expect(found.map((one) => one?.latents[0] ?? null)).toEqual([4, 2, null]);
  expect(found[0]?.box).toEqual({ x: 150, y: 39, width: 100, height: 191 });
});

test('a face that is not there, not whole, or of no numbers has none', async () => {
  const found = await legacyLatents(source, { frames: [0, 1, 2, 3, 4, 5, 6], square });
  expect(found.map((one) => one !== null)).toEqual([true, false, false, false, false, false, false]);
});

test('another kind of clip has none', async () => {
  const photo = join(folder, 'photo');
  await writeFile(photo, frame);
  expect(await legacyLatents(photo, { frames: [0], square })).toEqual([null]);
});
