import { rgbOfI420 } from '../i420-picture.ts';
import type { LegacyLatents } from '../legacy/legacy-latents.ts';
import { landmarkCount } from '../warp/filmed-face.ts';
import { blendMask, faceOf } from './blend.ts';
import { blendSquare, faceBox, type PixelBox } from './face-box.ts';
import type { MuseTalk } from './models.ts';
import { type MouthMask, mouthMask } from './mouth-patch.ts';
import { cropped, type Pixels } from './resize.ts';

/** What MuseTalk needs of one frame of a filmed face. */
export interface DressedFrame {
  readonly mask: MouthMask;
  /** [8, 32, 32] */
  readonly latents: Float32Array;
}

/** Frame by frame; null: no face can be made there. */
export type Dress = readonly (DressedFrame | null)[];

export interface Undressed {
  /** Width and height, px. */
  readonly size: number;
  /** I420. */
  readonly frames: readonly Uint8Array[];
  /** For each frame 68 points, x and y in turn, px. */
  readonly landmarks: readonly Float32Array[];
  /** For each frame what need not be encoded anew; may be empty. */
  readonly brought: readonly (LegacyLatents | null)[];
}

/** Derived from the frames and the models alone: the same come to the same. One at a time, as they are asked for. */
export async function* dressFrames(
  musetalk: Pick<MuseTalk, 'encode' | 'parse'>,
  { size, frames, landmarks, brought }: Undressed,
): AsyncGenerator<DressedFrame | null, void, undefined> {
  for (const [index, frame] of frames.entries()) {
    const given = brought[index] ?? null;
    const points = pointsOf(landmarks[index] ?? new Float32Array(0));
    const box = given === null ? faceBox({ points, frame: { width: size, height: size } }) : pixelBox(given.box);
    if (box === null) {
      yield null;
      continue;
    }
    const picture: Pixels = { ...rgbOfI420(frame, size), channels: 3 };
    const mask = mouthMask(blendMask({ box, classes: await musetalk.parse(cropped(picture, blendSquare(box))) }), size);
    yield mask && { mask, latents: given?.latents ?? (await musetalk.encode(faceOf(picture, box))) };
  }
}

function pixelBox({ x, y, width, height }: LegacyLatents['box']): PixelBox {
  return { left: Math.round(x), top: Math.round(y), right: Math.round(x + width), bottom: Math.round(y + height) };
}

function pointsOf(landmarks: Float32Array): readonly { readonly x: number; readonly y: number }[] {
  if (landmarks.length !== 2 * landmarkCount) return [];
  return Array.from({ length: landmarkCount }, (_, i) => ({ x: landmarks[2 * i] ?? 0, y: landmarks[2 * i + 1] ?? 0 }));
}
