import { openClipFile } from '../../adapters/node-av-clip-file.ts';
import { avatarSize } from '../artifact/manifest.ts';
import type { Square } from '../source/clip.ts';
import { type LegacyFace, readLegacyFaces } from './read-faces.ts';

/** What the predecessor had prepared of a frame for MuseTalk, which need not be encoded anew. */
export interface LegacyLatents {
  /** Where the face of 256 x 256 was cut out, and belongs again: inside the avatar's frame, px of it, not rounded. */
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  /** [8, 32, 32], finite: the masked face, then the reference. */
  readonly latents: Float32Array;
}

/** An avatar's distinct frames. */
export interface CutFrames {
  /** Of each, the index in the clip, as `readPictures` counts. */
  readonly frames: readonly number[];
  /** What of the clip they show, px of the clip. */
  readonly square: Square;
}

/** For each frame; null where the source is another kind of clip, the predecessor found no face, or the cut took a part of it away. */
export async function legacyLatents(source: string, { frames, square }: CutFrames): Promise<(LegacyLatents | null)[]> {
  await using file = await openClipFile(source);
  const faces = file.container === 'legacy' ? readLegacyFaces(file) : [];
  return frames.map((index) => {
    const face = faces[index] ?? null;
    const box = face === null ? null : boxInCut(face, square);
    const latents = box === null ? null : (face?.latents() ?? null);
    return box === null || latents === null || !latents.every(Number.isFinite) ? null : { box, latents };
  });
}

function boxInCut({ box }: LegacyFace, { x, y, side }: Square): LegacyLatents['box'] | null {
  const scale = avatarSize / side;
  const left = (box.left - x) * scale;
  const top = (box.top - y) * scale;
  const width = (box.right - box.left) * scale;
  const height = (box.bottom - box.top) * scale;
  const isInside = left >= 0 && top >= 0 && width > 0 && height > 0 && left + width <= avatarSize && top + height <= avatarSize;
  return isInside ? { x: left, y: top, width, height } : null;
}
