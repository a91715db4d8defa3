import { shortestSpan } from './idle-span.ts';
import type { FaceMeasure } from './measure.ts';

export interface FrameQuality {
  /** All faces that were found in the frame. */
  readonly faces: readonly FaceMeasure[];
  /** Height of the largest face's box, px of a frame of 512. */
  readonly faceHeightPx: number;
  /** Mean luma of that box, 0 to 255. */
  readonly brightness: number;
}

export type FaceFault =
  | 'no_face'
  | 'several_faces'
  | 'face_too_small'
  | 'face_turned_away'
  | 'mouth_open'
  | 'too_dark'
  | 'too_shaky'
  | 'too_short';

export interface Refusal {
  readonly fault: FaceFault;
  /** Index of the worst frame, to be shown. */
  readonly frame: number;
}

/** Chosen by judgement, not yet on filmed people. 96 px: MuseTalk's face has 256, and more than 2.7-fold enlarging is seen as blur. */
const limits = { faceHeightPx: 96, yaw: 0.5, mouthOpening: 0.12, brightness: 50, motion: 0.08 };
/** A fault is a reason when more than this share of the frames has it: a hand or a passer-by may be cut out. */
const toleratedShare = 0.2;

/** In the order in which a teacher can act on them; none when the clip may be built. */
export function faultsOf(frames: readonly FrameQuality[]): Refusal[] {
  const refusals: Refusal[] = frames.length < shortestSpan ? [{ fault: 'too_short', frame: Math.max(0, frames.length - 1) }] : [];
  for (const { fault, badness } of checks) {
    const scores = frames.map((frame, i) => badness(frame, frames[i - 1]));
    const worst = Math.max(...scores);
    if (scores.filter((score) => score > 0).length > toleratedShare * frames.length) refusals.push({ fault, frame: scores.indexOf(worst) });
  }
  return refusals;
}

/** Above 0: the frame has the fault; the more the worse. What needs a face says nothing of a frame without one. */
const checks: readonly {
  readonly fault: FaceFault;
  readonly badness: (frame: FrameQuality, before: FrameQuality | undefined) => number;
}[] = [
  { fault: 'no_face', badness: ({ faces }) => (faces.length === 0 ? 1 : 0) },
  { fault: 'several_faces', badness: ({ faces }) => faces.length - 1 },
  { fault: 'face_too_small', badness: ({ faces, faceHeightPx }) => (faces.length === 0 ? 0 : limits.faceHeightPx - faceHeightPx) },
  { fault: 'face_turned_away', badness: ({ faces: [face] }) => (face === undefined ? 0 : Math.abs(face.yaw) - limits.yaw) },
  { fault: 'mouth_open', badness: ({ faces: [face] }) => (face === undefined ? 0 : face.mouthOpening - limits.mouthOpening) },
  { fault: 'too_dark', badness: ({ faces, brightness }) => (faces.length === 0 ? 0 : limits.brightness - brightness) },
  { fault: 'too_shaky', badness: ({ faces: [face] }, before) => motion(face, before?.faces[0]) - limits.motion },
];

/** Way of the eyes since the frame before, over their distance. */
function motion(face: FaceMeasure | undefined, before: FaceMeasure | undefined): number {
  return face === undefined || before === undefined ? 0 : Math.hypot(face.x - before.x, face.y - before.y) / face.interOcularPx;
}
