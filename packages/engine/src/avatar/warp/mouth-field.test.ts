import { describe, expect, test } from 'vitest';
import { drawnFace, swaying } from '../../../../../test/support/drawn-face.ts';
import { visemes } from '../../media/ports.ts';
import { lipsFor } from '../lips.ts';
import { restMouth } from '../mouth.ts';
import { trackHead } from './head-pose.ts';
import { createMouthField, type Face, type Source, shapeMouth, trace } from './mouth-field.ts';
import { columnOf, type RestingMouth, restingMouth } from './resting-mouth.ts';

const drawn = trackHead(drawnFace(64, swaying(3))).face;
const faces = {
  'a face of usual measures': restingMouth(drawn),
  'a face with nose and chin close to the lips': restingMouth(drawn.map((at, i) => (i % 2 === 1 ? at * 0.3 : at))),
};
/** About a pixel of a mouth 80 px wide. */
const pixel = 1 / 40;

/** All of the region and a little more. */
const placesOf = (rest: RestingMouth) =>
  Array.from({ length: 200 }, (_, i) => -2.5 + i * pixel).flatMap((u) =>
    Array.from({ length: Math.ceil((rest.bottom + 2.3) / pixel) }, (_, k) => ({ u, v: -2 + k * pixel })),
  );

function sourceOf(u: number, v: number, face: Face): Source {
  const source = { u: 0, v: 0 };
  trace(source, { u, v, column: columnOf(u) }, face);
  return source;
}

function isOpen(u: number, v: number, { field }: Face): boolean {
  const column = columnOf(u);
  return v > (field.top[column] ?? 0) - pixel && v < (field.bottom[column] ?? 0) + pixel;
}

describe.each(Object.entries(faces))('%s', (_, rest) => {
  describe.each(visemes)('around %s', (viseme) => {
    const face = { rest, field: createMouthField() };
    shapeMouth(face.field, lipsFor({ ...restMouth, sil: 0, [viseme]: 1 }), rest);

    test('neither tears nor folds: from pixel to pixel its source goes on by less than four, and never back', () => {
      const steps = placesOf(rest).flatMap(({ u, v }) => {
        const here = sourceOf(u, v, face);
        const right = isOpen(u, v, face) || isOpen(u + pixel, v, face) ? [] : [sourceOf(u + pixel, v, face).u - here.u];
        const down = isOpen(u, v, face) || isOpen(u, v + pixel, face) ? [] : [sourceOf(u, v + pixel, face).v - here.v];
        return [...right, ...down];
      });
      expect(steps.reduce((a, b) => Math.min(a, b))).toBeGreaterThan(-0.05 * pixel);
      expect(steps.reduce((a, b) => Math.max(a, b))).toBeLessThan(4 * pixel);
    });

    test('is still at its edges', () => {
      const edges = [-2.5, -1, 0, 1, 2.5].flatMap((u) => [
        { u, v: -rest.above - 0.4 },
        { u, v: rest.bottom },
      ]);
      const sides = [-1, -0.3, 0, 0.5, 1, 2].flatMap((v) => [
        { u: -rest.side - 0.01, v },
        { u: rest.side + 0.01, v },
      ]);
      for (const { u, v } of [...edges, ...sides]) {
        const source = sourceOf(u, v, face);
        expect(Math.hypot(source.u - u, source.v - v), `at ${u} ${v}`).toBeLessThan(1e-3);
      }
    });
  });
});
