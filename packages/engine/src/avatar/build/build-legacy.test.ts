import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { film } from '../../../../../test/support/filmed-clip.ts';
import { type LegacyBox, latentsNamed, legacyFiles, packedArchive, pngOf } from '../../../../../test/support/legacy-avatar.ts';
import { openFaceFinder } from '../../adapters/face-api.ts';
import { openAvatar, readFrames } from '../artifact/open-avatar.ts';
import type { FaceFinder } from '../face/ports.ts';
import { legacyLatents } from '../legacy/legacy-latents.ts';
import { faceBox } from '../musetalk/face-box.ts';
import type { Picture } from '../source/clip.ts';
import { buildAvatar } from './build-avatar.ts';

/* Folders of the predecessor by the same way as clips. */

const limits = { maxDurationMs: 60_000, maxPixels: 4096 * 2304 };

let finder: FaceFinder;
let folder: string;
let place: string;
beforeAll(async () => {
  finder = await openFaceFinder();
});
afterAll(() => finder[Symbol.asyncDispose]());
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'legacy-build-'));
  folder = await mkdtemp(join(place, 'avatar-'));
});
afterEach(() => rm(place, { recursive: true, force: true }));

/** What the predecessor's program makes of the landmarks. */
async function boxIn(picture: Picture): Promise<LegacyBox> {
  const [face] = await finder.find(picture);
  const numbers = face?.landmarks ?? new Float32Array();
  const points = Array.from({ length: numbers.length / 2 }, (_, i) => ({ x: numbers[2 * i] ?? 0, y: numbers[2 * i + 1] ?? 0 }));
  const box = faceBox({ points, frame: picture });
  return box === null ? [0, 0, 0, 0] : [box.left, box.top, box.right, box.bottom];
}

async function archived(pictures: readonly Picture[], boxes: readonly LegacyBox[]): Promise<string> {
  const archive = join(place, 'archive');
  await writeFile(
    archive,
    packedArchive(legacyFiles({ frames: pictures.map(pngOf), boxes, latents: pictures.map((_, i) => latentsNamed(i)) })),
  );
  await copyFile(archive, join(folder, 'source'));
  return archive;
}

async function built() {
  const outcome = await buildAvatar({ folder, finder, limits, onProgress: () => {}, signal: new AbortController().signal });
  const expected =
    outcome.status === 'ready' ? ['manifest.json', ...outcome.manifest.artifacts.map(({ name }) => name)] : ['fault-1.jpg', 'source'];
  expect((await readdir(folder)).toSorted()).toEqual(expected.toSorted());
  return outcome;
}

/** Of the avatar's distinct frames: what was prepared of them, and where the built face's landmarks say that it belongs. */
/** As MuseTalk reads them from the built avatar, after they were read from the archive. */
async function carriedOver(archive: string) {
  const { manifest } = await openAvatar(folder);
  const { first, square } = manifest.source;
  const read = await legacyLatents(archive, { frames: Array.from({ length: manifest.frames }, (_, i) => first + i), square });
  const { brought } = await readFrames(folder, manifest);
  expect(brought.map((one) => one?.latents)).toEqual(read.map((one) => one?.latents));
  return brought;
}

test('a folder with one frame becomes a face that stands still, and what was prepared of it fits the new frame', async () => {
  const pictures = await film({ frames: 1 });
  const box = await boxIn(pictures[0] ?? { width: 0, height: 0, data: new Uint8Array() });
  const archive = await archived(pictures, [box]);
  expect(await built()).toMatchObject({ status: 'ready', manifest: { frames: 1, source: { first: 0 } } });
  const [carried, ...more] = await carriedOver(archive);
  expect(more).toEqual([]);
  expect(carried?.latents).toEqual(latentsNamed(0));
  const { manifest } = await openAvatar(folder);
  const scale = 512 / manifest.source.square.side;
  const again = await boxIn(await frameOf(pictures[0], manifest.source.square));
  const { x = 0, y = 0, width = 0, height = 0 } = carried?.box ?? {};
  const off = [x, y, x + width, y + height].map((edge, i) => Math.abs(edge - (again[i] ?? 0) * scale));
  // The margin under the chin is 10 px of whatever picture the landmarks were found in.
  expect(Math.max(...off)).toBeLessThan(8);
});

/** The part of a picture that is cut out, not scaled. */
async function frameOf(picture: Picture | undefined, square: { readonly x: number; readonly y: number; readonly side: number }) {
  if (picture === undefined) throw new Error('no picture');
  const data = new Uint8Array(square.side * square.side * 3);
  for (let row = 0; row < square.side; row += 1) {
    const from = ((square.y + row) * picture.width + square.x) * 3;
    data.set(picture.data.subarray(from, from + square.side * 3), row * square.side * 3);
  }
  return { width: square.side, height: square.side, data };
}

test('a smile that shows teeth is rejected as in a clip, with its picture', async () => {
  await archived(await film({ frames: 1, person: 'collins' }), [[10, 10, 20, 20]]);
  expect(await built()).toMatchObject({ status: 'rejected', reasons: [{ code: 'mouth_open', picture: { name: 'fault-1.jpg' } }] });
});

test.runIf(process.env['LONG'] === '1')('a folder of 3 s becomes a face in motion, and each frame keeps its own latents', async () => {
  const some = await film({ frames: 20, width: 320, height: 240, eyesPx: 50 });
  const pictures = Array.from({ length: 80 }, (_, i) => some[19 - Math.abs(19 - (i % 38))]).filter((picture) => picture !== undefined);
  const boxes = await Promise.all(some.map(boxIn));
  const archive = await archived(
    pictures,
    pictures.map((picture) => boxes[some.indexOf(picture)] ?? [0, 0, 0, 0]),
  );
  const outcome = await built();
  if (outcome.status !== 'ready') throw new Error(`it was rejected: ${JSON.stringify(outcome.reasons)}`);
  const { first } = outcome.manifest.source;
  const carried = await carriedOver(archive);
  expect(carried.map((one) => one?.latents[0])).toEqual(Array.from({ length: outcome.manifest.frames }, (_, i) => first + i));
});
