import type { FaceMeasure } from './measure.ts';

/** A stretch of the clip that is played to and fro: of n frames, 2n - 2 steps without a jump. */
export interface IdleSpan {
  /** Frame indexes of the clip, `end` excluded. */
  readonly start: number;
  readonly end: number;
  /** Less is calmer: mean of mouth opening and of motion per frame, both over the distance of the eyes. */
  readonly unrest: number;
  /** Frame indexes of the clip in the order of playing. The last and the first are neighbours in the clip; one of a photo. */
  readonly order: readonly number[];
}

/** 3 s at 25 fps: shorter looks like a tic. */
export const shortestSpan = 75;
/** 6 s, 12 s to and fro: every worker keeps 393 kB for each frame of 512 px. */
export const longestSpan = 150;
/** Closed lips of 12 faces measured 0.004 to 0.078; a smile that shows teeth 0.11 and more. */
export const closedBelow = 0.09;
/** Turned by some 30 degrees: half of the mouth is hardly seen any more. */
export const turnedFrom = 0.5;
/** A longer loop repeats itself less: what 3 s more may cost in unrest. */
const worthOfLength = 0.002;
/** At its ends the loop turns back: what motion there costs, over what it costs elsewhere in the mean. */
const worthOfTurning = 0.5;
/** What a blink costs that is cut in two. */
const worthOfBlink = 0.01;
/** Lids that shut lower the openness by a tenth, the finder's noise by a hundredth. */
const shutBelow = 0.955;
/** Frames on both sides that say how open the eyes are when they are open: 1 s. */
const blinkReach = 25;

/** The calmest stretch with a face in every frame, seen from the front, and the mouth closed. Null: the clip has none. */
export function idleSpan(track: readonly (FaceMeasure | null)[]): IdleSpan | null {
  const unrest = track.map((face, i) => unrestOf(face, track[i - 1] ?? face));
  const ends = track.map((_, i) => worthOfTurning * turningSpeed(track, i) + (isBlinking(track, i) ? worthOfBlink : 0));
  // A photo is an idle loop of one frame.
  const best = cheapest({ unrest, ends, shortest: track.length === 1 ? 1 : shortestSpan });
  if (best === null) return null;
  const { start, end } = best;
  return {
    start,
    end,
    unrest: unrest.slice(start, end).reduce((sum, value) => sum + value, 0) / (end - start),
    order: toAndFro(start, end),
  };
}

/** What frames cost inside a span and, further, at its ends. */
interface Costs {
  readonly unrest: readonly number[];
  readonly ends: readonly number[];
  readonly shortest: number;
}

function cheapest({ unrest, ends, shortest }: Costs): { readonly start: number; readonly end: number } | null {
  let best: { readonly start: number; readonly end: number; readonly cost: number } | null = null;
  for (let start = 0; start + shortest <= unrest.length; start += 1) {
    let sum = 0;
    for (let end = start + 1; end <= Math.min(unrest.length, start + longestSpan); end += 1) {
      sum += unrest[end - 1] ?? Number.POSITIVE_INFINITY;
      if (sum === Number.POSITIVE_INFINITY) break;
      const beyond = end - start - shortest;
      const turning = (ends[start] ?? 0) + (ends[end - 1] ?? 0);
      const cost = sum / (end - start) + turning - (worthOfLength * beyond) / (longestSpan - shortestSpan);
      if (beyond >= 0 && (best === null || cost < best.cost)) best = { start, end, cost };
    }
  }
  return best;
}

function unrestOf(face: FaceMeasure | null, before: FaceMeasure | null): number {
  if (face === null || face.mouthOpening >= closedBelow || Math.abs(face.yaw) >= turnedFrom) return Number.POSITIVE_INFINITY;
  return face.mouthOpening + (before === null ? 0 : wayBetween(before, face));
}

/** How fast the head moves there, over five frames so that jitter counts little. */
function turningSpeed(track: readonly (FaceMeasure | null)[], frame: number): number {
  const from = Math.max(0, frame - 2);
  const to = Math.min(track.length - 1, frame + 2);
  const [a, b] = [track[from] ?? null, track[to] ?? null];
  return a === null || b === null || from === to ? 0 : wayBetween(a, b) / (to - from);
}

function isBlinking(track: readonly (FaceMeasure | null)[], frame: number): boolean {
  const face = track[frame] ?? null;
  const near = track.slice(Math.max(0, frame - blinkReach), frame + blinkReach + 1).flatMap((other) => other?.eyeOpenness ?? []);
  const median = near.toSorted((a, b) => a - b)[near.length >> 1] ?? 0;
  return face !== null && face.eyeOpenness < shutBelow * median;
}

function wayBetween(a: FaceMeasure, b: FaceMeasure): number {
  return Math.hypot(a.x - b.x, a.y - b.y) / b.interOcularPx;
}

function toAndFro(start: number, end: number): number[] {
  const forth = Array.from({ length: end - start }, (_, i) => start + i);
  return [...forth, ...forth.slice(1, -1).reverse()];
}
