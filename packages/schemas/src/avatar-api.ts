import { z } from 'zod';
import { at, idempotencyKey, page, paged, wellFormed } from './api-parts.ts';
import { AvatarArtifact, AvatarBuildFailure, AvatarFault, AvatarQuality, AvatarStage, avatarEvents } from './avatar-events.ts';
import { AvatarId, Sha256, TutorId } from './ids.ts';

/** A filmed tutor. `name` is null once it was deleted. */
export const Avatar = z.object({
  id: AvatarId,
  name: z.string().nullable(),
  status: z.enum(['queued', 'building', 'ready', 'rejected', 'failed', 'revoked', 'deleted']),
  /** While queued: how many builds come first. */
  position: z.number().int().nonnegative().nullable(),
  /** While building. */
  progress: z.object({ stage: AvatarStage, fraction: z.number().min(0).max(1) }).nullable(),
  /** Why the clip was refused; `picture` names a file for `avatars.file`. */
  reasons: z.array(
    z.object({ code: AvatarFault, atMs: z.number().nonnegative().nullable(), picture: AvatarArtifact.shape.name.nullable() }),
  ),
  failure: AvatarBuildFailure.nullable(),
  quality: AvatarQuality.nullable(),
  renderer: z.enum(['warp', 'musetalk']).nullable(),
  /** Files for `avatars.file`. */
  artifacts: z.array(AvatarArtifact),
  /** Tutors that were given this face; each shows it while its own settings say so. */
  tutorIds: z.array(TutorId),
  bytes: z.number().int().positive(),
  sha256: Sha256,
  createdAt: at,
  revision: z.number().int().positive(),
});
export type Avatar = z.infer<typeof Avatar>;

/** Filmed tutors. */
export const avatars = {
  /** Makes room for a clip, or finds what is there of it: `offset` is where to go on, bytes from the start. */
  beginUpload: {
    input: z.object({ uploadId: z.uuidv7(), bytes: z.number().int().positive() }),
    output: z.object({ uploadId: z.uuidv7(), offset: z.number().int().nonnegative(), maxChunkBytes: z.number().int().positive() }),
  },
  /** The body is the next bytes, as `application/octet-stream`; the headers `x-vt-upload-id` and `x-vt-upload-offset` say of what. */
  upload: { output: z.object({ offset: z.number().int().nonnegative() }) },
  abandonUpload: { input: z.object({ uploadId: z.uuidv7() }), output: z.object({}) },
  /** Registers a whole upload, or what lies in the engine's folder for clips: a clip, or an avatar's folder of the predecessor. Queues its build. */
  create: {
    input: z.object({
      source: z.discriminatedUnion('type', [
        z.object({ type: z.literal('upload'), uploadId: z.uuidv7(), sha256: Sha256.optional() }),
        z.object({ type: z.literal('path'), path: z.string().min(1).max(1_024) }),
      ]),
      name: z.string().overwrite(wellFormed).trim().min(1).max(80),
      fileName: z.string().overwrite(wellFormed).max(255).default(''),
      tutorId: TutorId.nullable().default(null),
      consent: avatarEvents.AvatarRegistered.personal.shape.consent,
      idempotencyKey,
    }),
    output: Avatar,
  },
  get: { input: z.object({ avatarId: AvatarId }), output: Avatar },
  list: { input: z.object({ ...page }), output: paged(Avatar) },
  /** The avatar now and at every change, until it is settled or the caller leaves. */
  watch: { input: z.object({ avatarId: AvatarId }) },
  /** A picture or clip of the avatar: `thumbnail.jpg`, `idle.webm`, or that of a reason. */
  file: {
    input: z.object({ avatarId: AvatarId, name: AvatarArtifact.shape.name }),
    output: z.object({ mime: z.string(), base64: z.string() }),
  },
  revoke: {
    input: z.object({ avatarId: AvatarId, reason: avatarEvents.AvatarRevoked.payload.shape.reason, idempotencyKey }),
    output: Avatar,
  },
  remove: { input: z.object({ avatarId: AvatarId, idempotencyKey }), output: Avatar },
} as const;
