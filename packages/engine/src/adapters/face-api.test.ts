import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { landmarksOf } from '../../../../test/support/faces/landmarks.ts';
import { film, type Person, type Shot } from '../../../../test/support/filmed-clip.ts';
import { measureFace } from '../avatar/face/measure.ts';
import type { FaceFinder, FoundFace } from '../avatar/face/ports.ts';
import { smoothLandmarks } from '../avatar/face/smooth.ts';
import { trackFaces } from '../avatar/face/track.ts';
import type { Picture } from '../avatar/source/clip.ts';
import { openFaceFinder } from './face-api.ts';
import { openFaceApi } from './face-api-module.ts';

let finder: FaceFinder;
const listeners = () => ['uncaughtException', 'unhandledRejection'].map((event) => process.listenerCount(event));
let before: readonly number[] = [];

beforeAll(async () => {
  before = listeners();
  finder = await openFaceFinder();
});
afterAll(() => finder[Symbol.asyncDispose]());

async function photo(shot: Shot = {}): Promise<Picture> {
  const [picture] = await film({ sway: 0, ...shot, frames: 1 });
  if (picture === undefined) throw new Error('no picture');
  return picture;
}

async function theFace(picture: Picture, near?: readonly FoundFace[]): Promise<FoundFace> {
  const faces = await finder.find(picture, near);
  expect(faces).toHaveLength(1);
  const [face] = faces;
  if (face === undefined) throw new Error('no face');
  return face;
}

/** Root mean square over the landmarks, as a share of the distance of the eyes. */
function difference(a: Float32Array, b: Float32Array): number {
  const squares = a.reduce((sum, px, i) => sum + (px - (b[i] ?? 0)) ** 2, 0);
  return Math.sqrt(squares / 68) / (measureFace(a)?.interOcularPx ?? Number.NaN);
}

/** As in a square of 512 px with eyes where the photo has them. */
function inPhoto(landmarks: Float32Array, person: Person): Float32Array {
  const points = Float32Array.from(landmarksOf[person]);
  const [from, to] = [measureFace(landmarks), measureFace(points)];
  if (from === null || to === null) throw new Error('no face');
  const scale = to.interOcularPx / from.interOcularPx;
  const [cos, sin] = [Math.cos(to.roll - from.roll) * scale, Math.sin(to.roll - from.roll) * scale];
  return landmarks.map((px, i) => {
    const [dx, dy] = i % 2 === 0 ? [px - from.x, (landmarks[i + 1] ?? 0) - from.y] : [(landmarks[i - 1] ?? 0) - from.x, px - from.y];
    return i % 2 === 0 ? to.x + cos * dx - sin * dy : to.y + sin * dx + cos * dy;
  });
}

describe('a face', () => {
  test.each<[string, Shot]>([
    ['with closed lips', {}],
    ['that smiles', { person: 'collins' }],
    ['that is small', { eyesPx: 30 }],
    ['that fills the picture', { eyesPx: 160 }],
    ['in a phone held upright', { width: 360, height: 640, eyesPx: 70 }],
    ['in little light', { light: 0.3 }],
  ])('%s is found, with its 68 points', async (_name, shot) => {
    const face = await theFace(await photo(shot));
    expect(face.score).toBeGreaterThan(0.5);
    const person = shot.person ?? 'hopper';
    expect(difference(inPhoto(face.landmarks, person), Float32Array.from(landmarksOf[person]))).toBeLessThan(0.04);
    expect(Math.abs((measureFace(face.landmarks)?.interOcularPx ?? 0) - (shot.eyesPx ?? 80))).toBeLessThan(2);
  });

  test('is the same near where it was as in the whole picture, and the same when asked again', async () => {
    const [first, second] = await film({ frames: 2 });
    if (first === undefined || second === undefined) throw new Error('no picture');
    const near = await theFace(second, [await theFace(first)]);
    const whole = await theFace(second);
    expect(difference(near.landmarks, whole.landmarks)).toBeLessThan(0.03);
    expect(await finder.find(second)).toEqual([whole]);
  });

  test('of several the largest comes first', async () => {
    const faces = await finder.find(await photo({ eyesPx: 60, others: { count: 2, eyesPx: 45 } }));
    expect(faces.map(({ landmarks }) => Math.round((measureFace(landmarks)?.interOcularPx ?? 0) / 15))).toEqual([4, 3, 3]);
  });

  test('is not seen where there is none, near or far', async () => {
    const wall = await photo({ nobody: true });
    expect(await finder.find(wall)).toEqual([]);
    expect(await finder.find(wall, [await theFace(await photo())])).toEqual([]);
  });
});

test('a mouth that opens measures as open as it is', async () => {
  const opening = async (mouth: number) => measureFace((await theFace(await photo({ mouth: () => mouth }))).landmarks)?.mouthOpening ?? 0;
  const openings = [await opening(0), await opening(0.4), await opening(1)];
  expect(openings).toEqual(openings.toSorted((a, b) => a - b));
  expect(openings[0]).toBeLessThan(0.03);
  expect(openings[2]).toBeGreaterThan(0.15);
});

test('a person is known again in another picture, and not taken for somebody else', async () => {
  const embedded = async (shot: Shot) => {
    const picture = await photo(shot);
    return finder.embed(picture, await theFace(picture));
  };
  const distance = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((value, i) => value - (b[i] ?? 0)));
  const [hopper, dim, collins] = [await embedded({}), await embedded({ eyesPx: 55, light: 0.5 }), await embedded({ person: 'collins' })];
  expect(hopper).toHaveLength(128);
  expect(distance(hopper, dim)).toBeLessThan(0.4);
  expect(distance(hopper, collins)).toBeGreaterThan(0.6);
});

test('nothing stays in memory, and no uncaught error is taken from whoever had it', async () => {
  const { tf } = await openFaceApi();
  const pictures = await film({ frames: process.env['LONG'] === '1' ? 200 : 6 });
  const tensors = tf.memory().numTensors;
  for await (const [face] of trackFaces(finder, oneByOne(pictures))) expect(face).toBeDefined();
  expect(tf.memory().numTensors).toBe(tensors);
  const other = await openFaceFinder();
  await other[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
  expect(tf.memory().numTensors).toBe(tensors);
  expect(listeners()).toEqual(before);
});

async function* oneByOne(pictures: readonly Picture[]): AsyncGenerator<Picture> {
  yield* pictures;
}

/** From frame to frame, as the second difference shows it: px of a face whose eyes are 100 px apart, smooth motion apart. */
function jitter(track: readonly Float32Array[]): number {
  const squares = track
    .slice(1, -1)
    .flatMap((points, i) => [...points].map((px, k) => ((track[i]?.[k] ?? px) - 2 * px + (track[i + 2]?.[k] ?? px)) ** 2 / 6));
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
}

test('what jitter is left after smoothing is a fifth of a pixel', async () => {
  const pictures = await film({ frames: process.env['LONG'] === '1' ? 60 : 12, eyesPx: 100, noise: 4 });
  const seen: Float32Array[] = [];
  for await (const [face] of trackFaces(finder, oneByOne(pictures))) seen.push(face?.landmarks ?? new Float32Array(136));
  const [raw, calm] = [jitter(seen), jitter(smoothLandmarks(seen))];
  if (process.env['LONG'] === '1') console.log(`jitter ${raw.toFixed(2)} px, smoothed ${calm.toFixed(2)} px`);
  expect(raw).toBeLessThan(0.7);
  expect(calm).toBeLessThan(0.2);
});
