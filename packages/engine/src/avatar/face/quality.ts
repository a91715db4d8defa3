import type { AvatarFault } from '@virtual-tutor/schemas';
import { closedBelow, idleSpan, shortestSpan, turnedFrom } from './idle-span.ts';
import type { FaceMeasure } from './measure.ts';

export interface FrameQuality {
  /** The face that is largest, and those that could be meant as well. */
  readonly faces: readonly FaceMeasure[];
  /** Height of the largest face's box, px of a picture whose longer side is 512. */
  readonly faceHeightPx: number;
  /** Mean luma of that box, or of the picture where there is no face; 0 to 255. */
  readonly brightness: number;
}

/** In the order in which a teacher can act on them. */
const order = [
  'too_short',
  'no_face',
  'several_faces',
  'face_too_small',
  'face_turned_away',
  'mouth_open',
  'too_dark',
  'too_shaky',
] as const satisfies readonly AvatarFault[];
export type FaceFault = (typeof order)[number];

export interface Refusal {
  readonly fault: FaceFault;
  /** Index of the worst frame, to be shown. */
  readonly frame: number;
}

/**
 * Set on photos of 21 people and on films made of two of them. 64 px are 160 of a clip of 1280: what lies below is blurred when it is
 * made as large as a tutor. Faces of luma 40 are hard to make out, and not before.
 * 0.05 of the distance of the eyes in a frame is 8 cm/s.
 */
const limits = { faceHeightPx: 64, brightness: 40, motion: 0.05 };
/** A fault is a reason when more than this share of the frames has it: a hand or a passer-by may be cut out. */
const toleratedShare = 0.2;

/** None when the clip may be built, and then it has an idle span. One frame is a photo. */
export function faultsOf(frames: readonly FrameQuality[]): Refusal[] {
  const found: Refusal[] = [];
  for (const { fault, badness } of checks) {
    const scores = frames.map((frame, i) => badness(frame, frames[i - 1]));
    const bad = scores.filter((score) => score > 0).length;
    if (bad > toleratedShare * frames.length) found.push({ fault, frame: scores.indexOf(Math.max(...scores)) });
  }
  if (frames.length < shortestSpan && frames.length !== 1) found.push({ fault: 'too_short', frame: Math.max(0, frames.length - 1) });
  const idle = idleFault(frames, found.length === 0);
  return inOrder(idle === null ? found : [...found, idle]);
}

/** Above 0: the frame has the fault; the more the worse. What needs a face says nothing of a frame without one. */
const checks: readonly {
  readonly fault: FaceFault;
  readonly badness: (frame: FrameQuality, before: FrameQuality | undefined) => number;
}[] = [
  { fault: 'no_face', badness: ({ faces }) => (faces.length === 0 ? 1 : 0) },
  { fault: 'several_faces', badness: ({ faces }) => faces.length - 1 },
  { fault: 'face_too_small', badness: ({ faces, faceHeightPx }) => (faces.length === 0 ? 0 : limits.faceHeightPx - faceHeightPx) },
  { fault: 'face_turned_away', badness: ({ faces: [face] }) => (face === undefined ? 0 : Math.abs(face.yaw) - turnedFrom) },
  { fault: 'too_dark', badness: ({ brightness }) => limits.brightness - brightness },
  { fault: 'too_shaky', badness: ({ faces: [face] }, before) => motion(face, before?.faces[0]) - limits.motion },
];

function inOrder(refusals: readonly Refusal[]): Refusal[] {
  return refusals.toSorted((a, b) => order.indexOf(a.fault) - order.indexOf(b.fault));
}

/**
 * Speech is no fault as long as the lips are closed for an idle span somewhere. Lips that are apart throughout, or never closed for so
 * long, leave none. Where nothing else is wrong, there must be a reason that there is none.
 */
function idleFault(frames: readonly FrameQuality[], nothingElse: boolean): Refusal | null {
  const track = frames.map(({ faces: [face] }) => face ?? null);
  if (track.length === 0 || idleSpan(track) !== null) return null;
  const openings = track.map((face) => face?.mouthOpening ?? 0);
  const open = openings.filter((opening) => opening >= closedBelow).length;
  const worst = openings.indexOf(Math.max(...openings));
  if (open > toleratedShare * track.filter((face) => face !== null).length) return { fault: 'mouth_open', frame: worst };
  if (!nothingElse) return null;
  const silent = track.map((face) => face && { ...face, mouthOpening: 0 });
  if (idleSpan(silent) !== null) return { fault: 'mouth_open', frame: worst };
  const turns = track.map((face) => Math.abs(face?.yaw ?? 0));
  const lost = track.indexOf(null);
  return lost === -1 ? { fault: 'face_turned_away', frame: turns.indexOf(Math.max(...turns)) } : { fault: 'no_face', frame: lost };
}

/** Way of the eyes since the frame before, over their distance. */
function motion(face: FaceMeasure | undefined, before: FaceMeasure | undefined): number {
  return face === undefined || before === undefined ? 0 : Math.hypot(face.x - before.x, face.y - before.y) / face.interOcularPx;
}
