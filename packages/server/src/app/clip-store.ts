import type { AvatarId, TenantId } from '@virtual-tutor/schemas';
import type { Outcome } from './lessons.ts';

export type ClipSource =
  | { readonly type: 'upload'; readonly uploadId: string; readonly sha256?: string | undefined }
  /** Inside the folder that the operator allows: a clip, or an avatar's folder of the predecessor. */
  | { readonly type: 'path'; readonly path: string };

/** Where clips come in and avatars' files lie. What cannot be done is a refusal, never a file's name. */
export interface ClipStore {
  beginUpload(
    tenantId: TenantId,
    upload: { readonly uploadId: string; readonly bytes: number },
  ): Promise<Outcome<{ readonly offset: number }>>;
  append(
    tenantId: TenantId,
    chunk: { readonly uploadId: string; readonly offset: number; readonly bytes: AsyncIterable<Uint8Array> },
  ): Promise<Outcome<{ readonly offset: number }>>;
  abandonUpload(tenantId: TenantId, uploadId: string): Promise<void>;
  /** Puts the clip into the avatar's folder as one file, durably; one that is there from an attempt before stays. What is refused leaves nothing. */
  adopt(
    tenantId: TenantId,
    clip: { readonly avatarId: AvatarId; readonly source: ClipSource },
  ): Promise<Outcome<{ readonly bytes: number; readonly sha256: string }>>;
  /** The file, if its content is what was recorded of it; null: it is not. */
  read(avatarId: AvatarId, file: { readonly name: string; readonly sha256: string }): Promise<Uint8Array | null>;
  /** The clip alone: nothing more will be made of it. */
  removeClip(avatarId: AvatarId): Promise<void>;
  /** Everything of the avatar. */
  remove(avatarId: AvatarId): Promise<void>;
  /** Folders that nobody has written to for an hour. */
  settled(): Promise<readonly AvatarId[]>;
  /** Whether clips and faces can be kept at all. */
  isWritable(): Promise<boolean>;
  /** Abandons uploads that nobody went on with. */
  sweep(): Promise<void>;
}
