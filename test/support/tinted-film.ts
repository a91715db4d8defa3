import { mkdir } from 'node:fs/promises';
import { createVideoEncoder } from '../../packages/engine/src/adapters/node-av-video.ts';
import { avatarSize } from '../../packages/engine/src/avatar/artifact/manifest.ts';
import { writeAvatar } from '../../packages/engine/src/avatar/artifact/write-avatar.ts';
import { IdleLoops } from '../../packages/engine/src/avatar/idle-loop.ts';
import type { FilmedFace } from '../../packages/engine/src/avatar/warp/filmed-face.ts';
import { createWarpRenderer } from '../../packages/engine/src/avatar/warp/warp-renderer.ts';
import type { Film } from '../../packages/engine/src/worker/films.ts';
import { drawnFace, swaying } from './drawn-face.ts';

/** Chroma that every pixel of a film has, but for those inside an open mouth. */
export interface Tint {
  readonly u: number;
  readonly v: number;
}

/** A filmed tutor of whom any part of any picture tells who it is. */
export function tintedFace({ u, v }: Tint, { size, frames }: { readonly size: number; readonly frames: number }): FilmedFace {
  const face = drawnFace(size, swaying(frames));
  for (const frame of face.frames) {
    frame.fill(u, size * size, size * size * 1.25);
    frame.fill(v, size * size * 1.25);
  }
  return face;
}

/** In memory, as if read from a built avatar. */
export async function filmOf(face: FilmedFace): Promise<Film> {
  const renderer = createWarpRenderer(face);
  const loop = new IdleLoops(createVideoEncoder).of(renderer, 'VP8');
  return { renderer, idle: await Promise.all(face.frames.map((_, position) => loop.frame(position))) };
}

/** Whether a square picture, decoded, has this tint in each of its 16 parts. The mouth and the coder's losses change little of any. */
export function isTinted(picture: Uint8Array, { u, v }: Tint): boolean {
  const size = Math.sqrt((picture.length * 2) / 3);
  const [first, second] = [picture.subarray(size * size, size * size * 1.25), picture.subarray(size * size * 1.25)];
  return (
    partsOf(first, size / 2).every((mean) => Math.abs(mean - u) < 12) && partsOf(second, size / 2).every((mean) => Math.abs(mean - v) < 12)
  );
}

/** Means of 4 x 4 parts of a square plane. */
function partsOf(plane: Uint8Array, size: number): readonly number[] {
  const sums = new Float64Array(16);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const part = 4 * Math.floor((4 * y) / size) + Math.floor((4 * x) / size);
      sums[part] = (sums[part] ?? 0) + (plane[y * size + x] ?? 0);
    }
  }
  return Array.from(sums, (sum) => (sum * 16) / (size * size));
}

/** A built avatar's folder, its loop to and fro over `frames` distinct ones. */
export async function writeTintedAvatar(folder: string, tint: Tint, frames = 4): Promise<void> {
  const { frames: pictures, landmarks } = tintedFace(tint, { size: avatarSize, frames });
  const forth = Array.from({ length: frames }, (_, index) => index);
  await mkdir(folder, { recursive: true });
  await writeAvatar(folder, pictures, {
    order: [...forth, ...forth.slice(1, -1).reverse()],
    landmarks,
    face: { embedding: [], frames: [] },
    quality: { faceHeightPx: 240, brightness: 120, mouthOpening: 0, turn: 0, motion: 0 },
    source: { sha256: '0'.repeat(64), first: 0, square: { x: 0, y: 0, side: avatarSize } },
  });
}
