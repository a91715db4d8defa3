import { expect, test } from 'vitest';
import { drawnFace, swaying } from '../../../../../test/support/drawn-face.ts';
import { measureFace } from '../face/measure.ts';
import { judge } from './judge.ts';
import type { Sighting } from './sighting.ts';

const { landmarks } = drawnFace(16, swaying(100));

/** px of a picture of 512, moved. */
function faceAt(
  frame: number,
  { right, apart }: { readonly right: number; readonly apart: number } = { right: 0, apart: 0 },
): Float32Array {
  const points = (landmarks[frame % landmarks.length] ?? new Float32Array(136)).map((px, i) => px * 32 + (i % 2 === 0 ? right : 0));
  for (const lower of [65, 66, 67]) points[2 * lower + 1] = (points[2 * lower + 1] ?? 0) + apart;
  return points;
}

function sighting(...faces: readonly Float32Array[]): Sighting {
  const measures = faces.flatMap((points) => measureFace(points) ?? []);
  return { faces: faces.map((points) => [...points]), quality: { faces: measures, faceHeightPx: 200, brightness: 120 } };
}

const calm = Array.from({ length: 100 }, (_, i) => sighting(faceAt(i)));

test('a calm clip is fit, and its loop names pictures from the span on', () => {
  const verdict = judge(calm);
  if (verdict.kind === 'rejected') throw new Error('it was rejected');
  const { start, end, order, track } = verdict.span;
  expect(end - start).toBeGreaterThanOrEqual(75);
  expect(track).toHaveLength(end - start);
  expect(new Set(order)).toEqual(new Set(track.keys()));
});

test('a photo stands still for 4 s', () => {
  expect(judge(calm.slice(0, 1))).toMatchObject({ kind: 'fit', span: { start: 0, end: 1, order: new Array(100).fill(0) } });
});

test('the track stays with its face when a passer-by is larger for a moment', () => {
  const passing = calm.map((one, i) => (i >= 40 && i < 50 ? sighting(faceAt(i, { right: 300, apart: 0 }), faceAt(i)) : one));
  const verdict = judge(passing);
  if (verdict.kind === 'rejected') throw new Error('it was rejected');
  const xs = verdict.span.track.map(({ measure }) => measure.x);
  expect(Math.max(...xs) - Math.min(...xs)).toBeLessThan(20);
});

test('a face that is lost for three pictures is carried over the gap', () => {
  expect(judge(calm.map((one, i) => (i >= 50 && i < 53 ? sighting() : one)))).toMatchObject({ kind: 'fit' });
});

test.each<readonly [string, readonly Sighting[], string]>([
  ['without a face', calm.map(() => sighting()), 'no_face'],
  ['with an open mouth', calm.map((_, i) => sighting(faceAt(i, { right: 0, apart: 25 }))), 'mouth_open'],
  ['of two people', calm.map((_, i) => sighting(faceAt(i), faceAt(i, { right: 250, apart: 0 }))), 'several_faces'],
  ['of two seconds', calm.slice(0, 50), 'too_short'],
])('a clip %s is rejected', (_name, sightings, code) => {
  expect(judge(sightings)).toMatchObject({ kind: 'rejected', reasons: expect.arrayContaining([expect.objectContaining({ code })]) });
});
