import type { FilmedFace } from './filmed-face.ts';
import { inPicture, type TrackedHead } from './head-pose.ts';
import { columnOf, ease, uOf } from './resting-mouth.ts';

/*
 * Landmarks miss the line between closed lips by a pixel or two, and a mouth that opens beside that line tears a lip.
 * The line is dark, so the darkest smooth path near the landmarks is taken instead: dynamic programming, as in Amini,
 * Weymouth and Jain (1990, using dynamic programming for solving variational problems in vision).
 */

/** Places along the mouth, from corner to corner. */
const steps = 41;
/** Heights tried at each, from this far above the landmarks' line to this far below, in mouth coordinates. */
const reach = 0.18;
const heights = 19;
/** Frames that are averaged. */
const samples = 5;

/** The heights of `seam`, corrected; by column. */
export function findLipLine(face: FilmedFace, { poses }: TrackedHead, seam: Float32Array): Float32Array {
  const every = Math.max(1, Math.floor(poses.length / samples));
  const lumas = Array.from({ length: steps }, (_, step) => {
    const column = columnOf(uOfStep(step));
    return Float32Array.from({ length: heights }, (_, height) => {
      let sum = 0;
      for (let frame = 0; frame < poses.length; frame += every) {
        const pose = poses[frame];
        if (pose === undefined) continue;
        const { x, y } = inPicture(pose, uOfStep(step), (seam[column] ?? 0) + offsetOf(height));
        sum += lumaAt(face, frame, { x, y });
      }
      return sum;
    });
  });
  const path = darkestPath(lumas);
  return seam.map((height, column) => {
    const u = uOf(column);
    const place = Math.min(steps - 1, Math.max(0, ((u + 1) / 2) * (steps - 1)));
    const before = Math.floor(place);
    const here = path[before] ?? 0;
    const offset = here + (place - before) * ((path[before + 1] ?? here) - here);
    // The corners are where the landmarks are surest.
    return height + offset * (1 - ease((Math.abs(u) - 0.7) / 0.3));
  });
}

function uOfStep(step: number): number {
  return (2 * step) / (steps - 1) - 1;
}

function offsetOf(height: number): number {
  return ((2 * height) / (heights - 1) - 1) * reach;
}

function lumaAt({ frames, size }: FilmedFace, frame: number, { x, y }: { readonly x: number; readonly y: number }): number {
  const column = Math.min(size - 1, Math.max(0, Math.round(x)));
  const row = Math.min(size - 1, Math.max(0, Math.round(y)));
  return frames[frame]?.[row * size + column] ?? 0;
}

/** Offsets from the landmarks' line, one a step, evened out: dark, near to it, and by at most one height from step to step. */
function darkestPath(lumas: readonly Float32Array[]): Float32Array {
  const darkest = Math.min(...lumas.flatMap((column) => [...column]));
  const brightest = Math.max(...lumas.flatMap((column) => [...column]), darkest + 1);
  const cost = (step: number, height: number) =>
    ((lumas[step]?.[height] ?? brightest) - darkest) / (brightest - darkest) + 0.3 * (offsetOf(height) / reach) ** 2;
  let sums = Float32Array.from({ length: heights }, (_, height) => cost(0, height));
  const cameFrom: number[][] = [];
  for (let step = 1; step < steps; step += 1) {
    const before = sums;
    const from = Array.from({ length: heights }, (_, height) =>
      [height, height - 1, height + 1].reduce((best, other) => ((before[other] ?? Infinity) < (before[best] ?? Infinity) ? other : best)),
    );
    cameFrom.push(from);
    sums = Float32Array.from(from, (other, height) => (before[other] ?? 0) + cost(step, height));
  }
  let height = sums.indexOf(Math.min(...sums));
  const path = new Float32Array(steps);
  for (let step = steps - 1; step >= 0; step -= 1) {
    path[step] = offsetOf(height);
    height = cameFrom[step - 1]?.[height] ?? height;
  }
  return path.map((_, step) => {
    const near = path.subarray(Math.max(0, step - 3), step + 4);
    return near.reduce((sum, offset) => sum + offset, 0) / near.length;
  });
}
