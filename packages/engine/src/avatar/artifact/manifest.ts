import { AvatarArtifact, AvatarQuality, Sha256 } from '@virtual-tutor/schemas';
import { z } from 'zod';

/** Goes up whenever an older engine could not wear what this one builds. */
export const manifestVersion = 1;

/** Width and height of an avatar's frames, px. */
export const avatarSize = 512;

/** Files of an avatar's folder. */
export const files = {
  manifest: 'manifest.json',
  /** The distinct frames, in the order of the clip. */
  frames: 'frames.mkv',
  /** 136 numbers per distinct frame, Float32, little endian, px. */
  landmarks: 'landmarks.bin',
  /** What MuseTalk and auditors need to know of the face. */
  face: 'face.json',
  /** One round of the loop, VP8: what viewers are sent, and a preview. */
  idle: 'idle.webm',
  thumbnail: 'thumbnail.jpg',
} as const;

/** What a predecessor's avatar brought along for MuseTalk; others have none. */
export const broughtName = 'latents.bin';

/** Distinct ones; twice as many in the order of playing. Of 393 kB each in memory. */
const mostFrames = 250;

/** What an avatar's folder holds, and what it is worth. */
export const AvatarManifest = z
  .strictObject({
    version: z.literal(manifestVersion),
    width: z.literal(avatarSize),
    height: z.literal(avatarSize),
    fps: z.literal(25),
    /** Distinct ones. */
    frames: z.number().int().min(1).max(mostFrames),
    /** Distinct frames in the order of playing; the last leads into the first. */
    order: z
      .array(z.number().int().nonnegative())
      .min(1)
      .max(2 * mostFrames),
    renderer: z.strictObject({ kind: z.literal('warp') }),
    quality: AvatarQuality,
    source: z.strictObject({
      sha256: Sha256,
      /** Index of the first frame at 25 fps. */
      first: z.number().int().nonnegative(),
      /** The part that was cut out, px of the upright clip. */
      square: z.strictObject({ x: z.number().nonnegative(), y: z.number().nonnegative(), side: z.number().positive() }),
    }),
    artifacts: z.array(AvatarArtifact).min(1).max(16),
  })
  .refine(({ frames, order }) => order.every((frame) => frame < frames), 'the order names a frame that is not there');
export type AvatarManifest = z.infer<typeof AvatarManifest>;

/** Of any version. */
export const AnyManifest = z.looseObject({ version: z.number().int() });
