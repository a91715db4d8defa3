import { rgbOfI420 } from '../i420-picture.ts';
import { landmarkCount } from '../warp/filmed-face.ts';
import { blendMask, faceOf } from './blend.ts';
import { blendSquare, faceBox } from './face-box.ts';
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
}

/** Derived from the frames and the models alone: the same come to the same. One at a time, as they are asked for. */
export async function* dressFrames(
  musetalk: Pick<MuseTalk, 'encode' | 'parse'>,
  { size, frames, landmarks }: Undressed,
): AsyncGenerator<DressedFrame | null, void, undefined> {
  for (const [index, frame] of frames.entries()) {
    const box = faceBox({ points: pointsOf(landmarks[index] ?? new Float32Array(0)), frame: { width: size, height: size } });
    yield box === null ? null : await dressed(musetalk, { ...rgbOfI420(frame, size), channels: 3 }, box);
  }
}

async function dressed(musetalk: Pick<MuseTalk, 'encode' | 'parse'>, frame: Pixels, box: MouthMask['box']): Promise<DressedFrame | null> {
  const classes = await musetalk.parse(cropped(frame, blendSquare(box)));
  const mask = mouthMask(blendMask({ box, classes }), frame.width);
  return mask === null ? null : { mask, latents: await musetalk.encode(faceOf(frame, box)) };
}

function pointsOf(landmarks: Float32Array): readonly { readonly x: number; readonly y: number }[] {
  if (landmarks.length !== 2 * landmarkCount) return [];
  return Array.from({ length: landmarkCount }, (_, i) => ({ x: landmarks[2 * i] ?? 0, y: landmarks[2 * i + 1] ?? 0 }));
}
