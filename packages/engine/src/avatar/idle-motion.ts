import { framesPerSecond } from '../media/ports.ts';

/** 8 s. */
export const idleFrames = 8 * framesPerSecond;

/** How the tutor holds itself in one frame. Lengths in px of a 512 px picture. */
export interface Pose {
  readonly headX: number;
  readonly headY: number;
  /** Clockwise, rad. */
  readonly tilt: number;
  /** Rise of the shoulders, px. */
  readonly breath: number;
  /** Where the eyes look, -1 to 1 to each side. */
  readonly gazeX: number;
  readonly gazeY: number;
  /** 0 open, 1 shut. */
  readonly lids: number;
}

/** First frames of blinks; the third is a double one. Key frames, where viewers join and leave, fall between them. */
const blinks = [31, 88, 134, 143] as const;
/** How far the lids are down in each frame of a blink: shut in 80 ms, open again in 120. */
const blink = [0.55, 1, 0.9, 0.5, 0.15] as const;

/** The eyes rest on the student and wander off now and then: from this frame on, look there. */
const gazes = [
  { from: 0, x: 0, y: 0 },
  { from: 55, x: 0.45, y: -0.1 },
  { from: 66, x: 0.1, y: 0.05 },
  { from: 90, x: -0.1, y: 0 },
  { from: 116, x: -0.5, y: 0.15 },
  { from: 129, x: 0, y: 0 },
  { from: 168, x: 0.15, y: -0.25 },
  { from: 179, x: 0, y: 0 },
] as const;

/** The pose of frame `position`, which counts on for ever: the loop closes by itself. */
export function poseAt(position: number): Pose {
  const frame = position % idleFrames;
  // Slow motion at half the frame rate looks the same (at most 0.3 px a step) and costs half the pictures.
  const turn = (2 * Math.PI * (frame - (frame % 2))) / idleFrames;
  const gaze = gazes.findLast(({ from }) => from <= frame);
  const sinceBlink = frame - (blinks.findLast((first) => first <= frame) ?? frame - blink.length);
  return {
    headX: 2.6 * Math.sin(turn) + 0.8 * Math.sin(3 * turn + 1),
    headY: 1.1 * Math.sin(2 * turn + 0.6) + 0.5 * Math.sin(3 * turn),
    tilt: 0.011 * Math.sin(turn + 0.7) + 0.004 * Math.sin(2 * turn),
    breath: 1.2 * (1 - Math.cos(2 * turn)),
    gazeX: gaze?.x ?? 0,
    gazeY: gaze?.y ?? 0,
    lids: blink[sinceBlink] ?? 0,
  };
}
