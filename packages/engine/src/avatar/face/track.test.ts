import { expect, test } from 'vitest';
import type { Picture } from '../source/clip.ts';
import type { FaceFinder, FoundFace } from './ports.ts';
import { trackFaces } from './track.ts';

const face: FoundFace = { box: { x: 0, y: 0, width: 10, height: 10 }, score: 1, landmarks: new Float32Array(136) };

/** Finds as many faces as the script says, in a whole picture and near known ones; each picture is named by its width. */
function scripted(script: (frame: number) => { readonly whole: number; readonly near: number }) {
  const asked: string[] = [];
  const finder: FaceFinder = {
    async find(picture, near = []) {
      asked.push(`${picture.width}${near.length === 0 ? '' : ' near'}`);
      const { whole, near: nearby } = script(picture.width);
      return Array.from({ length: near.length === 0 ? whole : nearby }, () => face);
    },
    async embed() {
      return new Float32Array(128);
    },
    async [Symbol.asyncDispose]() {},
  };
  return { finder, asked };
}

async function* pictures(frames: number): AsyncGenerator<Picture> {
  for (let width = 0; width < frames; width += 1) yield { width, height: 1, data: new Uint8Array() };
}

async function counts(finder: FaceFinder, frames: number): Promise<number[]> {
  const found: number[] = [];
  for await (const faces of trackFaces(finder, pictures(frames))) found.push(faces.length);
  return found;
}

test('one frame in ten is looked at as a whole, the others near the face', async () => {
  const { finder, asked } = scripted(() => ({ whole: 1, near: 1 }));
  expect(await counts(finder, 25)).toEqual(Array.from({ length: 25 }, () => 1));
  expect(asked.filter((one) => !one.endsWith('near'))).toEqual(['0', '10', '20']);
});

test('a face that is not where it was is looked for everywhere', async () => {
  const { finder, asked } = scripted((frame) => ({ whole: 1, near: frame === 4 ? 0 : 1 }));
  expect(await counts(finder, 6)).toEqual([1, 1, 1, 1, 1, 1]);
  expect(asked.slice(4, 6)).toEqual(['4 near', '4']);
});

test('so is one of two', async () => {
  const { finder } = scripted((frame) => ({ whole: frame < 5 ? 2 : 1, near: frame < 3 ? 2 : 1 }));
  expect(await counts(finder, 7)).toEqual([2, 2, 2, 2, 2, 1, 1]);
});

test('whoever comes in is seen within ten frames', async () => {
  const { finder } = scripted((frame) => ({ whole: frame < 3 ? 1 : 2, near: 1 }));
  expect((await counts(finder, 11)).indexOf(2)).toBe(10);
});

test('without a face every frame is looked at as a whole', async () => {
  const { finder, asked } = scripted((frame) => ({ whole: frame === 3 ? 1 : 0, near: 0 }));
  expect(await counts(finder, 5)).toEqual([0, 0, 0, 1, 0]);
  expect(asked).toEqual(['0', '1', '2', '3', '4 near', '4']);
});
