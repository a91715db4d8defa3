import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, lstat, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AvatarId, type ErrorCode, type TenantId } from '@virtual-tutor/schemas';
import type { ClipSource, ClipStore } from '../app/clip-store.ts';
import type { Outcome } from '../app/lessons.ts';
import type { Refusal } from '../domain/decision.ts';
import { piecesOf } from './clip-bytes.ts';
import { ConfinedPathRefused } from './confined-path.ts';
import { copyClip, draftOf } from './copied-clip.ts';
import { systemCode } from './system-error.ts';
import { UploadRefused } from './upload-refused.ts';
import { UploadStore } from './upload-store.ts';

export interface ClipFoldersOptions {
  /** `AVATARS_DIR` */
  readonly folder: string;
  /** `AVATAR_CLIPS_DIR`; null: clips come by upload alone. */
  readonly clipsFolder: string | null;
  readonly maxClipBytes: number;
  /** All uploads that are under way, bytes. */
  readonly uploadBytes: number;
}

/** What is left free on the disk for everything else, bytes. */
const keepFreeBytes = 512 * 1024 * 1024;
/** A sender that says nothing for so long counts as gone, ms. */
const silentAfterMs = 30_000;
/** An upload that nobody goes on with, ms. */
const abandonedAfterMs = 24 * 3_600_000;
/** Younger folders may be those of a clip that is just being registered, ms. */
const settledAfterMs = 3_600_000;

const codes: Readonly<Record<UploadRefused['code'], ErrorCode>> = {
  invalid_input: 'invalid_input',
  payload_too_large: 'payload_too_large',
  quota_exceeded: 'capacity_exceeded',
  disk_full: 'capacity_exceeded',
  wrong_offset: 'conflict',
  busy: 'conflict',
  not_found: 'not_found',
  conflict: 'command_reused',
  wrong_hash: 'invalid_input',
  interrupted: 'conflict',
};

/** `AVATARS_DIR`: a folder for each avatar, and one for uploads, on one file system. */
export class ClipFolders implements ClipStore {
  readonly #options: ClipFoldersOptions;
  readonly #uploads: UploadStore;
  readonly #adopting = new Map<AvatarId, Promise<void>>();

  private constructor(options: ClipFoldersOptions, uploads: UploadStore) {
    this.#options = options;
    this.#uploads = uploads;
  }

  static async open(options: ClipFoldersOptions): Promise<ClipFolders> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    await removeDrafts(options.folder);
    const { maxClipBytes: maxUploadBytes, uploadBytes: quotaBytes } = options;
    const uploads = await UploadStore.open(join(options.folder, '.uploads'), { maxUploadBytes, quotaBytes, keepFreeBytes, silentAfterMs });
    return new ClipFolders(options, uploads);
  }

  beginUpload(
    tenantId: TenantId,
    { uploadId, bytes }: { readonly uploadId: string; readonly bytes: number },
  ): Promise<Outcome<{ readonly offset: number }>> {
    return orRefused(() => this.#uploads.begin({ uploadId: uploadOf(tenantId, uploadId), expectedBytes: bytes }));
  }

  append(
    tenantId: TenantId,
    { uploadId, offset, bytes }: { readonly uploadId: string; readonly offset: number; readonly bytes: AsyncIterable<Uint8Array> },
  ): Promise<Outcome<{ readonly offset: number }>> {
    return orRefused(() => this.#uploads.append({ uploadId: uploadOf(tenantId, uploadId), offset, bytes }));
  }

  abandonUpload(tenantId: TenantId, uploadId: string): Promise<void> {
    return this.#uploads.abandon(uploadOf(tenantId, uploadId));
  }

  adopt(
    tenantId: TenantId,
    { avatarId, source }: { readonly avatarId: AvatarId; readonly source: ClipSource },
  ): Promise<Outcome<{ readonly bytes: number; readonly sha256: string }>> {
    return this.#alone(avatarId, () =>
      orRefused(async () => {
        const folder = this.#folderOf(avatarId);
        await mkdir(folder, { recursive: true, mode: 0o700 });
        try {
          const place = join(folder, 'source');
          const there = await hashOfFile(place);
          if (there !== null) return isOther(there, source) ? { refused: otherClip } : there;
          const clip = source.type === 'upload' ? await this.#takeUpload(tenantId, source, place) : await this.#copy(source.path, place);
          await syncFolder(folder);
          await syncFolder(this.#options.folder);
          return clip;
        } catch (error) {
          await removeIfEmpty(folder);
          throw error;
        }
      }),
    );
  }

  /** Two attempts under one key share a folder: the second finds what the first brought. */
  async #alone<T>(avatarId: AvatarId, work: () => Promise<T>): Promise<T> {
    const mine = (this.#adopting.get(avatarId) ?? Promise.resolve()).then(work);
    const ended = mine.then(
      () => undefined,
      () => undefined,
    );
    this.#adopting.set(avatarId, ended);
    try {
      return await mine;
    } finally {
      if (this.#adopting.get(avatarId) === ended) this.#adopting.delete(avatarId);
    }
  }

  async read(avatarId: AvatarId, { name, sha256 }: { readonly name: string; readonly sha256: string }): Promise<Uint8Array | null> {
    const file = await openOrNull(join(this.#folderOf(avatarId), name));
    if (file === null) return null;
    await using handle = file;
    const bytes = await handle.readFile();
    return createHash('sha256').update(bytes).digest('hex') === sha256 ? bytes : null;
  }

  async removeClip(avatarId: AvatarId): Promise<void> {
    await rm(join(this.#folderOf(avatarId), 'source'), { force: true });
  }

  async remove(avatarId: AvatarId): Promise<void> {
    await rm(this.#folderOf(avatarId), { recursive: true, force: true });
  }

  async settled(): Promise<readonly AvatarId[]> {
    const found: AvatarId[] = [];
    for (const name of await readdir(this.#options.folder)) {
      const id = AvatarId.safeParse(name);
      if (!id.success) continue;
      const { mtimeMs } = await lstat(join(this.#options.folder, name));
      if (mtimeMs < Date.now() - settledAfterMs) found.push(id.data);
    }
    return found;
  }

  async isWritable(): Promise<boolean> {
    return access(this.#options.folder, constants.W_OK).then(
      () => true,
      () => false,
    );
  }

  async sweep(): Promise<void> {
    await this.#uploads.sweep({ untouchedMs: abandonedAfterMs, nowMs: Date.now() });
  }

  #folderOf(avatarId: AvatarId): string {
    return join(this.#options.folder, avatarId);
  }

  async #takeUpload(tenantId: TenantId, { uploadId, sha256 }: Extract<ClipSource, { type: 'upload' }>, place: string) {
    const id = uploadOf(tenantId, uploadId);
    const finished = await this.#uploads.finish({ uploadId: id, sha256 });
    await rename(finished.path, place);
    await this.#uploads.abandon(id);
    return { bytes: finished.bytes, sha256: finished.sha256 };
  }

  async #copy(path: string, place: string) {
    const { clipsFolder, maxClipBytes: maxBytes } = this.#options;
    if (clipsFolder === null)
      throw new ConfinedPathRefused('no_folder', 'clips by path are not allowed here: upload it, or set AVATAR_CLIPS_DIR');
    return copyClip({ folder: clipsFolder, path, place, maxBytes, keepFreeBytes });
  }
}

const otherClip: Refusal = { code: 'command_reused', message: 'this idempotency key already brought another clip' };

function isOther(there: { readonly sha256: string }, source: ClipSource): boolean {
  return source.type === 'upload' && source.sha256 !== undefined && source.sha256 !== there.sha256;
}

/** Another tenant's upload is an unknown one, whatever its id. */
function uploadOf(tenantId: TenantId, uploadId: string): string {
  return `${createHash('sha256').update(tenantId).digest('hex').slice(0, 16)}-${uploadId}`;
}

async function hashOfFile(path: string): Promise<{ readonly bytes: number; readonly sha256: string } | null> {
  const file = await openOrNull(path);
  if (file === null) return null;
  await using handle = file;
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of piecesOf(handle)) {
    hash.update(piece);
    bytes += piece.byteLength;
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function openOrNull(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** What a process before was copying when it died: the log does not speak of it. */
async function removeDrafts(avatars: string): Promise<void> {
  for (const entry of await readdir(avatars, { withFileTypes: true })) {
    if (!(entry.isDirectory() && AvatarId.safeParse(entry.name).success)) continue;
    const folder = join(avatars, entry.name);
    await rm(draftOf(join(folder, 'source')), { force: true });
    await removeIfEmpty(folder);
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: unknown) => {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(systemCode(error) ?? '')) throw error;
  });
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

async function orRefused<T extends object>(work: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  try {
    return await work();
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === null) throw error;
    return { refused };
  }
}

function refusalOf(error: unknown): Refusal | null {
  if (error instanceof UploadRefused) return { code: codes[error.code], message: error.message };
  if (error instanceof ConfinedPathRefused) {
    const code = error.code === 'payload_too_large' || error.code === 'not_found' ? error.code : 'invalid_input';
    return { code, message: error.message };
  }
  const full = ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '');
  return full ? { code: 'capacity_exceeded', message: 'the disk for avatars is full: the operator has to make room' } : null;
}
