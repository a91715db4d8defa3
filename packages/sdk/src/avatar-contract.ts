import type { CallOptions, MutationOptions, ReconnectPolicy } from './call-contract.ts';

/** Why a clip cannot become a tutor's face: first what is wrong with the file, then what is wrong with what it shows. */
export type AvatarFault =
  | 'not_a_video'
  | 'format_not_supported'
  | 'damaged'
  | 'too_heavy'
  | 'too_long'
  | 'no_face'
  | 'several_faces'
  | 'face_too_small'
  | 'face_turned_away'
  | 'mouth_open'
  | 'too_dark'
  | 'too_shaky'
  | 'too_short';

/** In the order in which a build goes through them. */
export type AvatarStage = 'probe' | 'frames' | 'face' | 'idle' | 'renderer';

/** Why a build ended without a verdict on the clip. */
export type AvatarBuildFailure = 'source_missing' | 'disk_full' | 'timeout' | 'crashed';

/** What a clip was found to be: medians over the frames that the idle loop was made of. */
export interface AvatarQuality {
  /** Height of the face in the picture of 512 px. */
  readonly faceHeightPx: number;
  /** Mean luma of the face, 0 to 255. */
  readonly brightness: number;
  /** Gap between the inner lips over the distance of the eyes. */
  readonly mouthOpening: number;
  /** 0: straight into the camera; 1: in profile. */
  readonly turn: number;
  /** Way of the eyes from frame to frame over their distance. */
  readonly motion: number;
}

/** A file of an avatar, for `avatars.file`. */
export interface AvatarArtifact {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** A filmed tutor. */
export interface Avatar {
  readonly id: string;
  /** Null once it was deleted. */
  readonly name: string | null;
  readonly status: 'queued' | 'building' | 'ready' | 'rejected' | 'failed' | 'revoked' | 'deleted';
  /** While queued: how many builds come first. */
  readonly position: number | null;
  /** While building; `fraction` is of the stage. */
  readonly progress: { readonly stage: AvatarStage; readonly fraction: number } | null;
  /** Why the clip was refused. `atMs`: the worst frame, from the start of the clip; `picture`: a file that shows it. */
  readonly reasons: readonly { readonly code: AvatarFault; readonly atMs: number | null; readonly picture: string | null }[];
  readonly failure: AvatarBuildFailure | null;
  readonly quality: AvatarQuality | null;
  readonly renderer: 'warp' | 'musetalk' | null;
  readonly artifacts: readonly AvatarArtifact[];
  /** Tutors that were given this face; each shows it while its own settings say so. */
  readonly tutorIds: readonly string[];
  readonly bytes: number;
  readonly sha256: string;
  readonly createdAt: string;
  readonly revision: number;
}

/** Sealed in the log, and gone with the avatar. */
export interface AvatarConsent {
  /** The person who is seen: 1 to 120 characters. */
  readonly by: string;
  /** What was agreed to, word for word: 1 to 2 000 characters. */
  readonly statement: string;
}

export interface NewAvatar {
  /** 1 to 80 characters. */
  readonly name: string;
  /** For people to know the clip by; the engine does not use it. Nothing is taken from a `File` by itself. */
  readonly fileName?: string;
  readonly consent: AvatarConsent;
  /** Given this face as soon as it is ready. */
  readonly tutorId?: string | null;
}

export interface UploadOptions {
  /** Bytes that are safe at the engine: at the beginning, and after each piece. */
  readonly onProgress?: (sentBytes: number, totalBytes: number) => void;
  /** Ends the upload; what the engine has of it is removed. */
  readonly signal?: AbortSignal;
  /** UUIDv7. Keep it to go on after the page or process was away: the same key takes the same clip up where it stopped. */
  readonly idempotencyKey?: string;
  /** While no byte gets through. Default: tries for five minutes. */
  readonly reconnect?: ReconnectPolicy;
}

export interface Avatars {
  /** Sends a clip or a photo in pieces, over lost connections too, and queues its build. */
  upload(clip: Blob | Uint8Array, avatar: NewAvatar, options?: UploadOptions): Promise<Avatar>;
  /** From a clip that lies in the engine's own folder for clips, or from an avatar's folder of the predecessor there. */
  create(avatar: NewAvatar & { readonly path: string }, options?: MutationOptions): Promise<Avatar>;
  get(avatarId: string, options?: CallOptions): Promise<Avatar>;
  /** Newest first; pages are fetched as you iterate. */
  list(options?: CallOptions): AsyncIterable<Avatar>;
  /** The avatar now and at each change, over lost connections too, until its build has ended. `break` stops it. */
  watch(avatarId: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<Avatar>;
  /** A picture or clip of it: `thumbnail.jpg`, `idle.webm`, or that of a reason. */
  file(avatarId: string, name: string, options?: CallOptions): Promise<{ readonly mime: string; readonly bytes: Uint8Array }>;
  /** Nobody sees this face any more, lessons under way included; its files stay until `remove`. */
  revoke(
    revocation: { readonly avatarId: string; readonly reason: 'consent_withdrawn' | 'replaced' | 'misuse' | 'other' },
    options?: MutationOptions,
  ): Promise<Avatar>;
  /** Deletes its files, its name and its consent. */
  remove(avatarId: string, options?: MutationOptions): Promise<Avatar>;
}
