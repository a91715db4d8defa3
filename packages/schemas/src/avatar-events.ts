import { z } from 'zod';
import type { EventCatalogue, EventOf, NewEventOf } from './event-definition.ts';
import { Sha256, TutorId } from './ids.ts';

/** Half a surrogate pair has no canonical JSON. */
const text = () => z.string().overwrite((value) => value.toWellFormed());

/** Why a clip cannot become a tutor's face: first what is wrong with the file, then what is wrong with what it shows. */
export const AvatarFault = z.enum([
  'not_a_video',
  'format_not_supported',
  'damaged',
  'too_heavy',
  'too_long',
  'no_face',
  'several_faces',
  'face_too_small',
  'face_turned_away',
  'mouth_open',
  'too_dark',
  'too_shaky',
  'too_short',
]);
export type AvatarFault = z.infer<typeof AvatarFault>;

/** In the order in which a build goes through them. */
export const avatarStages = ['probe', 'frames', 'face', 'idle', 'renderer'] as const;
export const AvatarStage = z.enum(avatarStages);
export type AvatarStage = z.infer<typeof AvatarStage>;

/** Why a build ended without a verdict on the clip. */
export const AvatarBuildFailure = z.enum(['source_missing', 'disk_full', 'timeout', 'crashed']);
export type AvatarBuildFailure = z.infer<typeof AvatarBuildFailure>;

/** A file of the avatar's folder. */
export const AvatarArtifact = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/),
  sha256: Sha256,
  bytes: z.number().int().positive(),
});
export type AvatarArtifact = z.infer<typeof AvatarArtifact>;

/** What a clip was found to be: medians over the frames that the idle loop was made of. */
export const AvatarQuality = z.strictObject({
  /** Height of the face in the picture of 512 px. */
  faceHeightPx: z.number().nonnegative(),
  /** Mean luma of the face, 0 to 255. */
  brightness: z.number().min(0).max(255),
  /** Gap between the inner lips over the distance of the eyes. */
  mouthOpening: z.number().nonnegative(),
  /** 0: straight into the camera; 1: in profile. */
  turn: z.number().min(0).max(1),
  /** Way of the eyes from frame to frame over their distance. */
  motion: z.number().nonnegative(),
});
export type AvatarQuality = z.infer<typeof AvatarQuality>;

export const avatarEvents = {
  AvatarRegistered: {
    version: 1,
    payload: z.strictObject({
      source: z.enum(['upload', 'path']),
      bytes: z.number().int().positive(),
      sha256: Sha256,
      /** Where the clip lies, and so who builds. */
      node: z.string().min(1),
      /** Whom it is for, once it is ready; null: nobody yet. */
      tutorId: TutorId.nullable(),
      consentedAt: z.iso.datetime(),
    }),
    personal: z.strictObject({
      name: text().min(1).max(80),
      fileName: text().max(255),
      consent: z.strictObject({
        /** The person who is seen. */
        by: text().min(1).max(120),
        /** What was agreed to, word for word. */
        statement: text().min(1).max(2_000),
      }),
    }),
  },
  AvatarBuildStarted: { version: 1, payload: z.strictObject({ attempt: z.number().int().positive(), node: z.string().min(1) }) },
  AvatarBuildProgressed: {
    version: 1,
    payload: z.strictObject({
      stage: AvatarStage,
      /** Of this stage, in tenths. */
      fraction: z.number().min(0).max(1),
    }),
  },
  AvatarReady: {
    version: 1,
    payload: z.strictObject({
      frames: z.number().int().positive(),
      fps: z.number().positive(),
      width: z.number().int().positive(),
      height: z.number().int().positive(),
      renderer: z.enum(['warp', 'musetalk']),
      quality: AvatarQuality,
      artifacts: z.array(AvatarArtifact).min(1),
    }),
  },
  AvatarRejected: {
    version: 1,
    payload: z.strictObject({
      reasons: z
        .array(
          z.strictObject({
            code: AvatarFault,
            /** The worst frame, ms from the start of the clip; null where no frame shows it. */
            atMs: z.number().nonnegative().nullable(),
            /** File of the avatar's folder that shows it. */
            picture: AvatarArtifact.nullable(),
          }),
        )
        .min(1),
    }),
  },
  AvatarBuildFailed: {
    version: 1,
    payload: z.strictObject({ code: AvatarBuildFailure, retryable: z.boolean(), attempt: z.number().int().positive() }),
  },
  AvatarAssigned: { version: 1, payload: z.strictObject({ tutorId: TutorId }) },
  /** From now on nobody sees this face; the files stay until it is deleted. */
  AvatarRevoked: { version: 1, payload: z.strictObject({ reason: z.enum(['consent_withdrawn', 'replaced', 'misuse', 'other']) }) },
  /** Its files and the key to its personal part are gone. */
  AvatarDeleted: { version: 1, payload: z.strictObject({}) },
} as const satisfies EventCatalogue;

export type AvatarEvent = EventOf<typeof avatarEvents>;
export type NewAvatarEvent = NewEventOf<typeof avatarEvents>;
