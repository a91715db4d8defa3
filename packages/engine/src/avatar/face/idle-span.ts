import type { FaceMeasure } from './measure.ts';

/** A stretch of the clip that is played to and fro: of n frames, 2n - 2 steps without a jump. */
export interface IdleSpan {
  /** Frame indexes of the clip, `end` excluded. */
  readonly start: number;
  readonly end: number;
  /** Less is calmer: mean of mouth opening and of motion per frame, both over the distance of the eyes. */
  readonly unrest: number;
  /** Frame indexes of the clip in the order of playing. The last and the first are neighbours in the clip. */
  readonly order: readonly number[];
}

/** 3 s and 10 s at 25 fps: shorter looks like a tic, longer costs memory. */
export const shortestSpan = 75;
export const longestSpan = 250;
/** Inner lips of a closed mouth, with the jitter of landmarks. */
const closedBelow = 0.08;
/** A longer loop repeats itself less: what 7 s more may cost in unrest. */
const worthOfLength = 0.002;

/** The calmest stretch with a face in every frame and the mouth closed; blinks do not count. Null: the clip has none. */
export function idleSpan(track: readonly (FaceMeasure | null)[]): IdleSpan | null {
  const unrest = track.map((face, i) => unrestOf(face, track[i - 1] ?? face));
  let best: { readonly start: number; readonly end: number; readonly cost: number } | null = null;
  for (let start = 0; start + shortestSpan <= track.length; start += 1) {
    let sum = 0;
    for (let end = start + 1; end <= Math.min(track.length, start + longestSpan); end += 1) {
      sum += unrest[end - 1] ?? Number.POSITIVE_INFINITY;
      if (sum === Number.POSITIVE_INFINITY) break;
      const beyond = end - start - shortestSpan;
      const cost = sum / (end - start) - (worthOfLength * beyond) / (longestSpan - shortestSpan);
      if (beyond >= 0 && (best === null || cost < best.cost)) best = { start, end, cost };
    }
  }
  if (best === null) return null;
  const { start, end } = best;
  return {
    start,
    end,
    unrest: unrest.slice(start, end).reduce((sum, value) => sum + value, 0) / (end - start),
    order: toAndFro(start, end),
  };
}

function unrestOf(face: FaceMeasure | null, before: FaceMeasure | null): number {
  if (face === null || face.mouthOpening >= closedBelow) return Number.POSITIVE_INFINITY;
  const motion = before === null ? 0 : Math.hypot(face.x - before.x, face.y - before.y) / face.interOcularPx;
  return face.mouthOpening + motion;
}

function toAndFro(start: number, end: number): number[] {
  const forth = Array.from({ length: end - start }, (_, i) => start + i);
  return [...forth, ...forth.slice(1, -1).reverse()];
}
