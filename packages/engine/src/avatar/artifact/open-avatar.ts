import { join } from 'node:path';
import { readLoop } from '../../adapters/node-av-loop.ts';
import { unpackTrack } from '../../adapters/node-av-matroska.ts';
import type { EncodedFrame, Renderer } from '../../media/ports.ts';

import type { LegacyLatents } from '../legacy/legacy-latents.ts';
import { createWarpRenderer } from '../warp/warp-renderer.ts';
import { AvatarDamaged } from './avatar-damaged.ts';
import { readHashed } from './checked-file.ts';
import { landmarksOf } from './landmarks-file.ts';
import { latentsOf } from './latents-file.ts';
import { AnyManifest, AvatarManifest, broughtName, files, manifestVersion } from './manifest.ts';
import { systemCode } from './system-error.ts';

/** The distinct frames as I420, and the face in each of them. */
export interface AvatarFrames {
  readonly frames: readonly Uint8Array[];
  /** For each frame 68 points, x and y in turn, px. */
  readonly landmarks: readonly Float32Array[];
  /** For each frame, of a predecessor's avatar; else empty. */
  readonly brought: readonly (LegacyLatents | null)[];
}

export interface LoadedAvatar {
  readonly manifest: AvatarManifest;
  /** Its idle frames are those of the order; frames that come twice are one buffer. */
  readonly renderer: Renderer;
  /** VP8, one for each entry of the order; the first and every 25th are key frames. */
  readonly idle: readonly EncodedFrame[];
}

/**
 * All of a built avatar that a session needs. Every file is compared with the manifest's hash before it is used. Reads, hashes and
 * decodes piece by piece, so that a worker that plays speech meanwhile is never held up. Throws `AvatarDamaged`.
 */
export async function openAvatar(folder: string): Promise<LoadedAvatar> {
  const manifest = await readManifest(folder);
  const found = await verifyArtifacts(folder, manifest);
  const { frames, landmarks } = await framesOf(found, manifest);
  try {
    const { frames: idle, codec } = await unpackTrack(bytesOf(found, files.idle));
    if (idle.length !== manifest.order.length || codec !== 'VP8') throw new AvatarDamaged('damaged');
    const renderer = createWarpRenderer({
      size: manifest.width,
      frames: inOrder(frames, manifest.order),
      landmarks: inOrder(landmarks, manifest.order),
    });
    return { manifest, renderer, idle };
  } catch (error) {
    throw error instanceof AvatarDamaged ? error : new AvatarDamaged('damaged', { cause: error });
  }
}

/** Throws `AvatarDamaged`. */
export async function readFrames(folder: string, manifest: AvatarManifest): Promise<AvatarFrames> {
  const { frames, landmarks } = await framesOf(await verifyArtifacts(folder, manifest), manifest);
  if (manifest.artifacts.every(({ name }) => name !== broughtName)) return { frames, landmarks, brought: [] };
  const { data } = await readHashed(join(folder, broughtName), true);
  return { frames, landmarks, brought: latentsOf(data) };
}

async function framesOf(found: ReadonlyMap<string, Uint8Array>, manifest: AvatarManifest): Promise<Omit<AvatarFrames, 'brought'>> {
  try {
    const frames = await decodeFrames(bytesOf(found, files.frames), manifest);
    const landmarks = landmarksOf(bytesOf(found, files.landmarks));
    if (landmarks.length !== frames.length) throw new AvatarDamaged('damaged');
    return { frames, landmarks };
  } catch (error) {
    throw error instanceof AvatarDamaged ? error : new AvatarDamaged('damaged', { cause: error });
  }
}

/** Throws `AvatarDamaged`. */
export async function readManifest(folder: string): Promise<AvatarManifest> {
  const { data } = await readHashed(join(folder, files.manifest), true).catch((error: unknown) => {
    throw new AvatarDamaged(systemCode(error) === 'ENOENT' ? 'missing' : 'damaged', { cause: error });
  });
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(data));
    if (AnyManifest.parse(json).version !== manifestVersion) throw new AvatarDamaged('other_version');
    return AvatarManifest.parse(json);
  } catch (error) {
    throw error instanceof AvatarDamaged ? error : new AvatarDamaged('damaged', { cause: error });
  }
}

const needed: readonly string[] = [files.frames, files.landmarks, files.idle];

/** Of every file the hash, and of those that are needed the bytes. Throws `AvatarDamaged`. */
export async function verifyArtifacts(folder: string, { artifacts }: AvatarManifest): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for (const { name, sha256, bytes } of artifacts) {
    const file = await readHashed(join(folder, name), needed.includes(name)).catch((error: unknown) => {
      throw new AvatarDamaged('damaged', { cause: error });
    });
    if (file.sha256 !== sha256 || file.bytes !== bytes) throw new AvatarDamaged('damaged');
    found.set(name, file.data);
  }
  return found;
}

function bytesOf(found: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const bytes = found.get(name);
  if (bytes === undefined) throw new AvatarDamaged('damaged');
  return bytes;
}

/** In one piece of memory. */
async function decodeFrames(file: Uint8Array, { frames, width }: AvatarManifest): Promise<Uint8Array[]> {
  const frameBytes = (width * width * 3) / 2;
  const all = new Uint8Array(frames * frameBytes);
  let decoded = 0;
  for await (const frame of readLoop(file, width)) {
    if (decoded === frames) throw new AvatarDamaged('damaged');
    all.set(frame, decoded * frameBytes);
    decoded += 1;
  }
  if (decoded < frames) throw new AvatarDamaged('damaged');
  return Array.from({ length: frames }, (_, i) => all.subarray(i * frameBytes, (i + 1) * frameBytes));
}

function inOrder<T>(distinct: readonly T[], order: readonly number[]): T[] {
  return order.map((index) => {
    const one = distinct[index];
    if (one === undefined) throw new AvatarDamaged('damaged');
    return one;
  });
}
