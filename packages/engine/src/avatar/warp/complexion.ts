import type { FilmedFace } from './filmed-face.ts';
import { type HeadPose, inPicture, type TrackedHead } from './head-pose.ts';
import { columnOf, type RestingMouth } from './resting-mouth.ts';

/** One colour of an I420 picture, 0 to 255 each. */
export interface Colour {
  readonly y: number;
  readonly u: number;
  readonly v: number;
}

/** What the inside of this mouth looks like in the light that falls on this face. */
export interface Complexion {
  readonly cavity: Colour;
  readonly tongue: Colour;
  readonly teeth: Colour;
  /** How much brighter the light is at the corner on the picture's right than in the middle: -0.3 to 0.3. */
  readonly slope: number;
}

/** Frames that are looked at. */
const samples = 5;
const black = 16;

/** From the skin and lips around the mouth, and the whites of the eyes. */
export function complexionOf(face: FilmedFace, head: TrackedHead, rest: RestingMouth): Complexion {
  const step = Math.max(1, Math.floor(face.frames.length / samples));
  const looks = head.poses
    .map((pose, frame) => ({ pose, picture: face.frames[frame], points: face.landmarks[frame] }))
    .filter((_, frame) => frame % step === 0)
    .map(({ pose, picture, points }) => {
      if (picture === undefined || points === undefined) throw new RangeError('every frame has a picture and landmarks');
      const patch = patchOf({ picture, size: face.size }, pose);
      return {
        left: patch(-1.3, -0.2),
        right: patch(1.3, -0.2),
        chin: patch(0, Math.min(rest.chin - 0.25, 1.1)),
        lip: patch(0, (rest.seam[columnOf(0)] ?? 0) + rest.lowerLip * 0.55),
        white: brightest({ picture, size: face.size }, points),
      };
    });
  const mean = (of: (look: (typeof looks)[number]) => number) => looks.reduce((sum, look) => sum + of(look), 0) / looks.length;
  const [left, right] = [mean(({ left }) => left.y), mean(({ right }) => right.y)];
  const skinY = (left + right + mean(({ chin }) => chin.y)) / 3 - black;
  const white = Math.max(mean((look) => look.white) - black, skinY);
  const lip = { u: mean((look) => look.lip.u) - 128, v: mean((look) => look.lip.v) - 128 };
  const skin = { u: mean(({ chin }) => chin.u) - 128, v: mean(({ chin }) => chin.v) - 128 };
  return {
    // Dark skin and light reflect differently; what is in the mouth is lit alike, so the whites of the eyes count too.
    cavity: { y: black + 0.07 * skinY + 0.04 * white, u: 128 + lip.u * 0.3, v: 128 + 4 + lip.v * 0.35 },
    tongue: { y: black + 0.3 * skinY + 0.24 * white, u: 128 + lip.u * 0.8, v: 128 + 6 + lip.v * 0.75 },
    teeth: { y: black + Math.min(205, 0.33 * skinY + 0.8 * white), u: 128 + skin.u * 0.4, v: 128 + skin.v * 0.35 },
    slope: Math.min(0.3, Math.max(-0.3, ((right - left) / (2.6 * Math.max(20, left + right - 2 * black))) * 2)),
  };
}

interface Picture {
  readonly picture: Uint8Array;
  readonly size: number;
}

/** Mean colour of 25 places a little apart; black beyond the picture. */
function patchOf({ picture, size }: Picture, pose: HeadPose): (u: number, v: number) => Colour {
  const chroma = size * size;
  return (u, v) => {
    const sum = { y: 0, u: 0, v: 0 };
    for (let i = 0; i < 25; i += 1) {
      const { x, y } = inPicture(pose, u + ((i % 5) - 2) * 0.05, v + (Math.floor(i / 5) - 2) * 0.04);
      const column = Math.min(size - 1, Math.max(0, Math.round(x)));
      const row = Math.min(size - 1, Math.max(0, Math.round(y)));
      const half = chroma + (row >> 1) * (size >> 1) + (column >> 1);
      sum.y += (picture[row * size + column] ?? black) / 25;
      sum.u += (picture[half] ?? 128) / 25;
      sum.v += (picture[half + chroma / 4] ?? 128) / 25;
    }
    return sum;
  };
}

/** Luma that a tenth of the pixels around the eyes exceed: their whites, or the lids if shut. */
function brightest({ picture, size }: Picture, points: Float32Array): number {
  const histogram = new Uint32Array(256);
  let count = 0;
  for (const [first, last] of [
    [36, 41],
    [42, 47],
  ] as const) {
    const eye = points.subarray(2 * first, 2 * last + 2);
    const xs = eye.filter((_, i) => i % 2 === 0);
    const ys = eye.filter((_, i) => i % 2 === 1);
    for (let y = clip(Math.min(...ys), size); y <= clip(Math.max(...ys), size); y += 1) {
      for (let x = clip(Math.min(...xs), size); x <= clip(Math.max(...xs), size); x += 1) {
        const luma = picture[y * size + x] ?? 0;
        histogram[luma] = (histogram[luma] ?? 0) + 1;
        count += 1;
      }
    }
  }
  let above = 0;
  for (let luma = 255; luma > 0; luma -= 1) {
    above += histogram[luma] ?? 0;
    if (above > count / 10) return luma;
  }
  return 0;
}

function clip(value: number, size: number): number {
  return Math.min(size - 1, Math.max(0, Math.round(value)));
}
