import { join } from 'node:path';
import type { AvatarArtifact } from '@virtual-tutor/schemas';
import { encodeJpeg } from '../../adapters/canvas-jpeg.ts';
import { createLoopWriter, readLoop } from '../../adapters/node-av-loop.ts';
import { rgbOfI420 } from '../i420-picture.ts';
import { writeDurably } from './durable-file.ts';
import { type FaceFacts, faceFile } from './face-file.ts';
import { idleFile, type Loop } from './idle-file.ts';
import { landmarksFile } from './landmarks-file.ts';
import { AvatarManifest, avatarSize, files, manifestVersion } from './manifest.ts';

/** What a build has found out about a clip. */
export interface AvatarFacts extends Pick<AvatarManifest, 'quality' | 'source' | 'order'> {
  /** One per distinct frame. */
  readonly landmarks: readonly Float32Array[];
  readonly face: FaceFacts;
}

/** px */
const thumbnailPx = 256;

/** The distinct frames as they are kept. */
export async function framesFile(frames: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  using writer = createLoopWriter(avatarSize);
  for await (const frame of frames) await writer.add(frame);
  return writer.finish();
}

/** The frames as they come out of what is kept: a loop made of them leads into a speaking face without a jump. */
export async function keptFrames(file: Uint8Array): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  for await (const frame of readLoop(file, avatarSize)) frames.push(Uint8Array.from(frame));
  return frames;
}

/** All files but the frames and the manifest, by name. `onFrame`: frames of the loop that are encoded. */
export async function* derivedFiles(
  facts: AvatarFacts,
  frames: readonly Uint8Array[],
  onFrame?: (done: number) => void,
): AsyncGenerator<readonly [name: string, bytes: Uint8Array], void, undefined> {
  const [first] = frames;
  if (first === undefined) throw new RangeError('an avatar has a frame');
  const loop: Loop = { frames, order: facts.order };
  yield [files.landmarks, landmarksFile(facts.landmarks)];
  yield [files.face, faceFile(facts.face)];
  yield [files.thumbnail, await encodeJpeg(rgbOfI420(first, avatarSize), thumbnailPx)];
  yield [files.idle, await idleFile(loop, onFrame)];
}

/** Written last: with it the avatar is there. */
export async function writeManifest(
  folder: string,
  { quality, source, order, frames }: Pick<AvatarManifest, 'quality' | 'source' | 'order' | 'frames'>,
  artifacts: readonly AvatarArtifact[],
): Promise<AvatarManifest> {
  const manifest = AvatarManifest.parse({
    version: manifestVersion,
    width: avatarSize,
    height: avatarSize,
    fps: 25,
    frames,
    order,
    renderer: { kind: 'warp' },
    quality,
    source,
    artifacts: artifacts.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  });
  await writeDurably(join(folder, files.manifest), Buffer.from(`${JSON.stringify(manifest)}\n`));
  return manifest;
}

/** A whole avatar from frames (I420, `avatarSize`) that are at hand, into a folder that is there. */
export async function writeAvatar(folder: string, frames: readonly Uint8Array[], facts: AvatarFacts): Promise<AvatarManifest> {
  const kept = await framesFile(frames);
  const artifacts = [await writeDurably(join(folder, files.frames), kept)];
  for await (const [name, bytes] of derivedFiles(facts, await keptFrames(kept)))
    artifacts.push(await writeDurably(join(folder, name), bytes));
  return writeManifest(folder, { ...facts, frames: frames.length }, artifacts);
}
