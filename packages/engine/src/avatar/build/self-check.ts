import type { MouthShape } from '../../media/ports.ts';
import { restMouth } from '../mouth.ts';
import type { FilmedFace } from '../warp/filmed-face.ts';
import { createWarpRenderer } from '../warp/warp-renderer.ts';

/** Frames that are tried, spread over the loop. */
const tried = 5;
/** A pixel of luma that has changed this much is seen to. */
const seen = 12;
/** An open mouth changes at least this share of the picture. */
const leastShare = 0.0005;
const openMouth: MouthShape = { ...restMouth, sil: 0, aa: 1 };

/**
 * Wears the face once: at rest it is the filmed one byte for byte, and an "ah" opens its mouth. False where it does not. Throws
 * `FilmedFaceRefused` where the landmarks are no face.
 */
export function canSpeak(face: FilmedFace): boolean {
  const renderer = createWarpRenderer(face);
  const step = Math.max(1, Math.floor(face.frames.length / tried));
  return face.frames.every((frame, i) => {
    if (i % step !== 0) return true;
    const calm = renderer.render(i, restMouth).every((value, k) => value === frame[k]);
    return calm && changedShare(frame, renderer.render(i, openMouth), face.size) >= leastShare;
  });
}

function changedShare(before: Uint8Array, after: Uint8Array, size: number): number {
  let changed = 0;
  for (let i = 0; i < size * size; i += 1) if (Math.abs((before[i] ?? 0) - (after[i] ?? 0)) >= seen) changed += 1;
  return changed / (size * size);
}
