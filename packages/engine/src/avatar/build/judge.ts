import type { AvatarFault } from '@virtual-tutor/schemas';
import { boxOf } from '../face/face-square.ts';
import { idleSpan } from '../face/idle-span.ts';
import { type FaceMeasure, measureFace } from '../face/measure.ts';
import { faultsOf } from '../face/quality.ts';
import { smoothTrack } from '../face/smooth.ts';
import type { Sighting } from './sighting.ts';

/** The one face that is followed through a clip, in one of its pictures. */
export interface TrackedFace {
  /** Smoothed over the pictures before and after; px of the picture. */
  readonly landmarks: Float32Array;
  readonly measure: FaceMeasure;
}

export interface Reason {
  readonly code: AvatarFault;
  /** Index of the worst picture. */
  readonly picture: number;
}

/** The part of a clip that is played while the tutor is at rest. */
export interface Span {
  /** Pictures of the clip, `end` excluded. */
  readonly start: number;
  readonly end: number;
  /** In the order of playing, counted from `start`. */
  readonly order: readonly number[];
  /** One for each picture of it. */
  readonly track: readonly TrackedFace[];
}

export type Verdict = { readonly kind: 'rejected'; readonly reasons: readonly Reason[] } | { readonly kind: 'fit'; readonly span: Span };

/** A photo stands still: 4 s, so that a loop of it has more than key frames. */
const photoOrder: readonly number[] = Array.from({ length: 100 }, () => 0);

/** Whether a face can be made of what was seen, and of which part. */
export function judge(sightings: readonly Sighting[]): Verdict {
  const track = smoothTrack(followMain(sightings)).map(trackedFace);
  const measures = track.map((face) => face?.measure ?? null);
  const faults = faultsOf(
    sightings.map(({ quality }, i) => {
      const main = measures[i] ?? null;
      return { ...quality, faces: main === null ? [] : [main, ...quality.faces.slice(1)] };
    }),
  );
  if (faults.length > 0) return { kind: 'rejected', reasons: faults.map(({ fault, frame }) => ({ code: fault, picture: frame })) };
  const span = idleSpan(measures);
  if (span === null) throw new RangeError('a clip without a fault has an idle span');
  const { start, end, order } = span;
  return {
    kind: 'fit',
    span: {
      start,
      end,
      order: end - start === 1 ? photoOrder : order.map((picture) => picture - start),
      track: track.slice(start, end).filter((face) => face !== null),
    },
  };
}

/** The face nearest to where it was, at first the largest. */
function followMain(sightings: readonly Sighting[]): (Float32Array | null)[] {
  let last: Float32Array | null = null;
  return sightings.map(({ faces }) => {
    const was: Float32Array | null = last;
    const [first, ...others] = faces.map((landmarks) => Float32Array.from(landmarks));
    if (first === undefined) return null;
    last = was === null ? first : others.reduce((best, face) => (distance(face, was) < distance(best, was) ? face : best), first);
    return last;
  });
}

function distance(a: Float32Array, b: Float32Array): number {
  const [from, to] = [boxOf(a), boxOf(b)];
  return Math.hypot(from.x + from.width / 2 - to.x - to.width / 2, from.y + from.height / 2 - to.y - to.height / 2);
}

function trackedFace(landmarks: Float32Array | null): TrackedFace | null {
  const measure = landmarks === null ? null : measureFace(landmarks);
  return landmarks === null || measure === null ? null : { landmarks, measure };
}
