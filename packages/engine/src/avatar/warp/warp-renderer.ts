import type { MouthShape, Renderer } from '../../media/ports.ts';
import { lipsFor } from '../lips.ts';
import { type Complexion, complexionOf } from './complexion.ts';
import { checkFilmedFace, type FilmedFace } from './filmed-face.ts';
import { type HeadPose, inPicture, trackHead } from './head-pose.ts';
import { findLipLine } from './lip-line.ts';
import { createMouthField, type Face, shapeMouth, trace } from './mouth-field.ts';
import { createInterior, type Interior } from './mouth-interior.ts';
import { columnOf, type RestingMouth, restingMouth } from './resting-mouth.ts';

/** Above this share of `sil` the picture is the filmed one, byte for byte. */
const atRest = 0.999;

/**
 * A filmed tutor who speaks: each frame of the idle loop with jaw, lips and cheeks moved and the inside of the mouth
 * drawn. Keeps one picture of its own beside the face it is given. Throws `FilmedFaceRefused`.
 */
export function createWarpRenderer(face: FilmedFace): Renderer {
  checkFilmedFace(face);
  const speaker = new Speaker(face);
  return {
    width: face.size,
    height: face.size,
    idleFrames: face.frames.length,
    render: (position, mouth) => speaker.render(position, mouth),
  };
}

/** One plane of a picture. */
interface Plane {
  readonly channel: 'y' | 'u' | 'v';
  readonly offset: number;
  readonly size: number;
  /** Luma pixels to one of this plane's. */
  readonly step: 1 | 2;
}

/** Pixels of a plane that a mouth can change: whole numbers, the ends exclusive. */
interface Part {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

class Speaker {
  readonly #frames: readonly Uint8Array[];
  readonly #poses: readonly HeadPose[];
  readonly #rest: RestingMouth;
  readonly #complexion: Complexion;
  readonly #planes: readonly Plane[];
  readonly #picture: Uint8Array;
  readonly #field = createMouthField();

  constructor(face: FilmedFace) {
    const { size, frames } = face;
    const head = trackHead(face);
    this.#frames = frames;
    this.#poses = head.poses;
    const rest = restingMouth(head.face);
    this.#rest = { ...rest, seam: findLipLine(face, head, rest.seam) };
    this.#complexion = complexionOf(face, head, this.#rest);
    this.#picture = new Uint8Array((size * size * 3) / 2);
    this.#planes = [
      { channel: 'y', offset: 0, size, step: 1 },
      { channel: 'u', offset: size * size, size: size / 2, step: 2 },
      { channel: 'v', offset: size * size * 1.25, size: size / 2, step: 2 },
    ];
  }

  render(position: number, mouth: MouthShape): Uint8Array {
    const frame = position % this.#frames.length;
    const filmed = this.#frames[frame];
    const pose = this.#poses[frame];
    if (filmed === undefined || pose === undefined) throw new RangeError(`There is no idle frame ${position}.`);
    if (mouth.sil > atRest) return filmed;
    const lips = lipsFor(mouth);
    const rest = this.#rest;
    const field = this.#field;
    shapeMouth(field, lips, rest);
    const interior = createInterior({ lips, field, rest, complexion: this.#complexion });
    this.#picture.set(filmed);
    for (const plane of this.#planes) warpPlane({ from: filmed, to: this.#picture, plane }, pose, { field, rest, interior });
    return this.#picture;
  }
}

interface Copy {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly plane: Plane;
}

/** The whole region: its inverse mapping, with the inside of the mouth where the lips are apart. */
function warpPlane({ from, to, plane }: Copy, pose: HeadPose, face: Face & { readonly interior: Interior }): void {
  const { field, rest, interior } = face;
  const { offset, size, step, channel } = plane;
  const part = partOf(plane, pose, rest);
  const det = pose.xu * pose.yv - pose.xv * pose.yu;
  const uPerX = (pose.yv * step) / det;
  const vPerX = (-pose.yu * step) / det;
  /** Half a pixel of this plane in mouth coordinates. */
  const soft = (0.5 * step) / Math.hypot(pose.xv, pose.yv);
  const shift = (step - 1) / 2;
  const place = { u: 0, v: 0, column: 0, soft };
  const source = { u: 0, v: 0 };
  const colour = { y: 0, u: 0, v: 0 };
  for (let y = part.top; y < part.bottom; y += 1) {
    const dx = part.left * step + shift - pose.x;
    const dy = y * step + shift - pose.y;
    place.u = (dx * pose.yv - dy * pose.xv) / det;
    place.v = (dy * pose.xu - dx * pose.yu) / det;
    for (let x = part.left; x < part.right; x += 1, place.u += uPerX, place.v += vPerX) {
      place.column = columnOf(place.u);
      trace(source, place, face);
      const right = (pose.xu * (source.u - place.u) + pose.xv * (source.v - place.v)) / step;
      const down = (pose.yu * (source.u - place.u) + pose.yv * (source.v - place.v)) / step;
      const inside = openShare(place, field, soft);
      if (inside === 0 && Math.abs(right) + Math.abs(down) < 0.02) continue;
      const lip = inside < 1 ? sample(from, plane, { x: x + right, y: y + down }) : 0;
      if (inside > 0) interior.paint(colour, place);
      to[offset + y * size + x] = 0.5 + lip + inside * (colour[channel] - lip);
    }
  }
}

/** How much of a pixel is between the lips, 0 to 1: an edge one pixel wide, and nothing where the lips touch. */
function openShare(place: { readonly v: number; readonly column: number }, field: Face['field'], soft: number): number {
  const fromTop = (place.v - (field.top[place.column] ?? 0)) / (2 * soft) + 0.5;
  const fromBottom = ((field.bottom[place.column] ?? 0) - place.v) / (2 * soft) + 0.5;
  return Math.max(0, Math.min(1, fromTop) + Math.min(1, fromBottom) - 1);
}

/** Between four pixels; at the picture's edge its last ones. */
function sample(picture: Uint8Array, { offset, size }: Plane, at: { readonly x: number; readonly y: number }): number {
  const x = Math.min(size - 1.001, Math.max(0, at.x));
  const y = Math.min(size - 1.001, Math.max(0, at.y));
  const left = x | 0;
  const upper = y | 0;
  const i = offset + upper * size + left;
  const alongX = x - left;
  const above = lerp(picture[i] ?? 0, picture[i + 1] ?? 0, alongX);
  const below = lerp(picture[i + size] ?? 0, picture[i + size + 1] ?? 0, alongX);
  return lerp(above, below, y - upper);
}

function lerp(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}

/** The rectangle around the region, cut to the plane. */
function partOf({ size, step }: Plane, pose: HeadPose, rest: RestingMouth): Part {
  const upper = Math.min(...[0, rest.seam[0] ?? 0, rest.seam.at(-1) ?? 0]) - rest.above - 0.25;
  const edges = [
    [-rest.side, upper],
    [rest.side, upper],
    [-rest.side, rest.bottom],
    [rest.side, rest.bottom],
  ] as const;
  const points = edges.map(([u, v]) => inPicture(pose, u, v));
  const cut = (value: number) => Math.min(size, Math.max(0, Math.round(value / step)));
  return {
    left: cut(Math.min(...points.map(({ x }) => x))),
    top: cut(Math.min(...points.map(({ y }) => y))),
    right: cut(Math.max(...points.map(({ x }) => x))),
    bottom: cut(Math.max(...points.map(({ y }) => y))),
  };
}
