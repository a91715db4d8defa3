import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { emptyGrowth, foundGrowth, type Growth, grow, hashOf, settle } from './growing-file.ts';
import { patientChunks, SourceGone } from './patient-chunks.ts';
import { systemCode } from './system-error.ts';
import { UploadRefused } from './upload-refused.ts';

export interface UploadLimits {
  /** One upload, bytes. */
  readonly maxUploadBytes: number;
  /** All uploads together, bytes; one under way counts as long as it was announced. */
  readonly quotaBytes: number;
  /** What uploads leave free on the disk for everything else, bytes. */
  readonly keepFreeBytes: number;
  /** A sender that says nothing for this long, ms, counts as gone. */
  readonly silentAfterMs: number;
}

export interface FinishedUpload {
  /** Still the store's: link or move the file away, then `abandon` the upload. */
  readonly path: string;
  readonly bytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

interface Upload {
  readonly path: string;
  readonly expectedBytes: number;
  growth: Growth;
  /** What is being done to it now: one thing at a time. */
  task: { readonly stop: AbortController; readonly ended: Promise<void> } | null;
  /** Settles when its file is gone. */
  discarded: Promise<void> | null;
}

const uploadIdShape = /^[0-9a-z][0-9a-z-]{0,63}$/;
const sha256Shape = /^[0-9a-f]{64}$/;
/** The announced length is part of the name: so that the two cannot get out of step, whenever the process dies. */
const nameShape = /^([0-9a-z][0-9a-z-]{0,63})\.([1-9]\d{0,15})$/;
/** So often the disk is asked for room and given what was written, bytes. */
const windowBytes = 8 * 1024 * 1024;

/**
 * Files on their way in, resumable after a broken connection and after kill -9. One store per folder, and nothing else in it:
 * a file is named by its upload's id and announced length, mode 0600, and its length is the offset to go on from.
 * Every refusal is an `UploadRefused`.
 */
export class UploadStore {
  readonly #folder: string;
  readonly #limits: UploadLimits;
  readonly #uploads = new Map<string, Upload>();

  private constructor(folder: string, limits: UploadLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** Makes the folder, mode 0700, or takes up the uploads that it holds. */
  static async open(folder: string, limits: UploadLimits): Promise<UploadStore> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const store = new UploadStore(folder, limits);
    for (const name of await readdir(folder)) {
      const [, uploadId, expectedBytes] = nameShape.exec(name) ?? [];
      const file = await lstat(join(folder, name));
      if (uploadId === undefined || !file.isFile()) continue;
      store.#uploads.set(uploadId, store.#upload(uploadId, Number(expectedBytes), foundGrowth(file.size)));
    }
    return store;
  }

  /** Makes room for an upload, or finds the one that was begun; answers where to go on, bytes from the start. */
  async begin({ uploadId, expectedBytes }: { readonly uploadId: string; readonly expectedBytes: number }): Promise<{ offset: number }> {
    if (!uploadIdShape.test(uploadId))
      throw new UploadRefused('invalid_input', 'an upload id is 1 to 64 small letters, digits and hyphens');
    if (!Number.isSafeInteger(expectedBytes) || expectedBytes < 1) {
      throw new UploadRefused('invalid_input', 'say how many bytes will come: 1 at least');
    }
    const known = this.#uploads.get(uploadId);
    if (known === undefined) return this.#create(uploadId, expectedBytes);
    if (known.expectedBytes !== expectedBytes) {
      throw new UploadRefused('conflict', 'this upload was begun with another length: begin a new one for another file');
    }
    return this.#alone(known, async () => {
      await using _file = await this.#openFile(known, constants.O_RDONLY);
      return { offset: known.growth.bytes };
    });
  }

  /**
   * Writes on from `offset`, no more than one chunk in memory; answers the new offset once it is safe on disk. What came before
   * a failure is kept. The source is closed in the end (its iterator's `return`); one that hangs is its owner's to cut.
   */
  async append(request: {
    readonly uploadId: string;
    readonly offset: number;
    readonly bytes: AsyncIterable<Uint8Array>;
  }): Promise<{ offset: number }> {
    const upload = this.#find(request.uploadId);
    return this.#alone(upload, async (signal) => {
      await using file = await this.#openFile(upload, constants.O_WRONLY);
      const { growth } = upload;
      if (request.offset !== growth.bytes) {
        throw new UploadRefused('wrong_offset', `go on at byte ${growth.bytes}`, { resumeAt: growth.bytes });
      }
      try {
        if (request.offset === 0) await syncFolder(this.#folder);
        await this.#write(patientChunks(request.bytes, { signal, silentAfterMs: this.#limits.silentAfterMs }), { file, upload });
      } catch (error) {
        throw upload.discarded === null ? refusalOf(error, growth) : noSuchUpload();
      }
      return { offset: growth.bytes };
    });
  }

  /** Answers the whole file, as often as asked. A file that is not what was sent (`sha256`, 64 hex digits) is discarded. */
  async finish({ uploadId, sha256 }: { readonly uploadId: string; readonly sha256?: string | undefined }): Promise<FinishedUpload> {
    const upload = this.#find(uploadId);
    const wanted = sha256?.toLowerCase();
    if (wanted !== undefined && !sha256Shape.test(wanted)) throw new UploadRefused('invalid_input', 'a SHA-256 is 64 hex digits');
    const finished = await this.#alone(upload, async () => {
      await using file = await this.#openFile(upload, constants.O_RDONLY);
      const { growth, expectedBytes, path } = upload;
      if (growth.bytes !== expectedBytes) {
        throw new UploadRefused('wrong_offset', `${growth.bytes} of ${expectedBytes} bytes are here: send the rest`, {
          resumeAt: growth.bytes,
        });
      }
      // A process before this one may have been killed before it came to that.
      await file.sync();
      growth.hash ??= await hashOf(file);
      return { path, bytes: growth.bytes, sha256: growth.hash.copy().digest('hex') };
    });
    if (wanted === undefined || wanted === finished.sha256) return finished;
    await this.abandon(uploadId);
    throw new UploadRefused('wrong_hash', 'the file did not arrive as it was sent and was discarded: upload it again');
  }

  /** Removes the upload and its file, whatever is being done to it. Of an unknown one nothing is to be done. */
  async abandon(uploadId: string): Promise<void> {
    const upload = this.#uploads.get(uploadId);
    if (upload === undefined) return;
    upload.discarded ??= this.#discard(uploadId, upload);
    await upload.discarded;
  }

  /** Abandons what nobody wrote to for this long, ms, finished or not; answers how many. `nowMs` is the time of day. */
  async sweep({ untouchedMs, nowMs }: { readonly untouchedMs: number; readonly nowMs: number }): Promise<number> {
    let swept = 0;
    for (const [uploadId, upload] of [...this.#uploads]) {
      if (upload.task !== null) continue;
      const file = await statOrNull(upload.path);
      if (upload.task !== null || (file !== null && file.mtimeMs > nowMs - untouchedMs)) continue;
      await this.abandon(uploadId);
      swept += 1;
    }
    return swept;
  }

  async #create(uploadId: string, expectedBytes: number): Promise<{ offset: number }> {
    const { maxUploadBytes, quotaBytes } = this.#limits;
    if (expectedBytes > maxUploadBytes) {
      throw new UploadRefused('payload_too_large', `an upload may have ${maxUploadBytes} bytes: send a shorter or smaller video`);
    }
    const others = [...this.#uploads.values()];
    if (others.reduce((sum, other) => sum + other.expectedBytes, expectedBytes) > quotaBytes) {
      throw new UploadRefused('quota_exceeded', 'too many uploads are under way: try again when some are done');
    }
    const owed = others.reduce((sum, other) => sum + Math.max(0, other.expectedBytes - other.growth.bytes), 0);
    const upload = this.#upload(uploadId, expectedBytes, emptyGrowth());
    this.#uploads.set(uploadId, upload);
    return this.#alone(upload, async () => {
      try {
        await this.#needRoom(expectedBytes + owed, upload.growth);
        // Exclusive: never an existing file, never through a link.
        const file = await open(upload.path, 'wx', 0o600);
        await file.close();
        return { offset: 0 };
      } catch (error) {
        this.#uploads.delete(uploadId);
        throw refusalOf(error, upload.growth);
      }
    });
  }

  async #write(chunks: AsyncIterable<Uint8Array>, { file, upload }: { readonly file: FileHandle; readonly upload: Upload }): Promise<void> {
    const { growth, expectedBytes } = upload;
    let roomUntil = growth.bytes;
    try {
      for await (const chunk of chunks) {
        if (growth.bytes + chunk.byteLength > expectedBytes) {
          throw new UploadRefused('payload_too_large', 'more bytes came than were announced: begin a new upload with the right length');
        }
        if (growth.bytes + chunk.byteLength > roomUntil) {
          await settle(file, growth);
          const window = Math.min(Math.max(windowBytes, chunk.byteLength), expectedBytes - growth.bytes);
          await this.#needRoom(window, growth);
          roomUntil = growth.bytes + window;
        }
        await grow(file, growth, chunk);
      }
    } finally {
      await settle(file, growth);
    }
  }

  async #needRoom(bytes: number, growth: Growth): Promise<void> {
    const { bavail, bsize } = await statfs(this.#folder);
    if (bavail * bsize - this.#limits.keepFreeBytes < bytes) throw diskFull(growth);
  }

  /** Whatever has been done to the file meanwhile: what is on disk counts. */
  async #openFile(upload: Upload, access: number): Promise<FileHandle> {
    const file = await open(upload.path, access | constants.O_NOFOLLOW).catch((error: unknown) => {
      throw ['ENOENT', 'ELOOP'].includes(systemCode(error) ?? '') ? noSuchUpload() : error;
    });
    const { size } = await file.stat();
    if (size !== upload.growth.bytes) upload.growth = foundGrowth(size);
    return file;
  }

  async #alone<T>(upload: Upload, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (upload.discarded !== null) throw noSuchUpload();
    if (upload.task !== null) throw new UploadRefused('busy', 'another connection is at this upload: try again when it has ended');
    const stop = new AbortController();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    upload.task = { stop, ended };
    try {
      return await work(stop.signal);
    } finally {
      upload.task = null;
      end();
    }
  }

  async #discard(uploadId: string, upload: Upload): Promise<void> {
    upload.task?.stop.abort();
    await upload.task?.ended;
    // Its beginning failed meanwhile: a newer upload may have its place.
    if (this.#uploads.get(uploadId) !== upload) return;
    try {
      await rm(upload.path, { force: true });
      this.#uploads.delete(uploadId);
    } catch (error) {
      upload.discarded = null;
      throw error;
    }
  }

  #find(uploadId: string): Upload {
    const upload = this.#uploads.get(uploadId);
    if (upload === undefined) throw noSuchUpload();
    return upload;
  }

  #upload(uploadId: string, expectedBytes: number, growth: Growth): Upload {
    return { path: join(this.#folder, `${uploadId}.${expectedBytes}`), expectedBytes, growth, task: null, discarded: null };
  }
}

function refusalOf(error: unknown, { bytes }: Growth): unknown {
  if (error instanceof SourceGone)
    return new UploadRefused('interrupted', `go on at byte ${bytes}`, { resumeAt: bytes, cause: error.cause });
  switch (systemCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return diskFull({ bytes });
    case 'EEXIST':
      return new UploadRefused('conflict', 'there is a file in the way: begin with a new upload id');
    default:
      return error;
  }
}

function diskFull({ bytes }: Pick<Growth, 'bytes'>): UploadRefused {
  return new UploadRefused('disk_full', 'the disk for uploads is full: the operator has to make room, then go on', { resumeAt: bytes });
}

function noSuchUpload(): UploadRefused {
  return new UploadRefused('not_found', 'there is no such upload: begin it again');
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** A new file is there after a power cut once its folder was synced. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}
