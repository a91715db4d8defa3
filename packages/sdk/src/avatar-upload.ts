import type { Avatar, NewAvatar, UploadOptions } from './avatar-contract.ts';
import { defaultReconnect } from './backoff.ts';
import type { Call } from './calls.ts';
import { aborted, TutorError } from './errors.ts';
import { Retries } from './retries.ts';
import { Sha256 } from './sha256.ts';
import { type Api, ofUpload } from './transport.ts';
import { uuidv7 } from './uuid.ts';

/** ms for one piece to be sent and to be safe on disk; of one that is slower the engine keeps what came. */
const pieceMs = 60_000;
/** ms for the whole to be read once more and registered. */
const createMs = 60_000;
/** ms for the engine to remove what it has of an upload that was stopped. */
const abandonMs = 3_000;
/** What is read at once only to be hashed, bytes. */
const readBytes = 4 * 1024 * 1024;
/** Most that the engine takes, characters. */
export const longest = { name: 80, fileName: 255, by: 120, statement: 2_000 } as const;

interface Engine {
  readonly api: Api;
  readonly call: Call;
}

/** Sends the clip and registers it under one key: that of the upload and of the registration. */
export async function uploadAvatar({ api, call }: Engine, given: Blob | Uint8Array, asked: UploadAsked): Promise<Avatar> {
  const { avatar, options } = asked;
  const { signal = new AbortController().signal, idempotencyKey = uuidv7() } = options;
  const clip = new Clip(given);
  refuseWhatTheEngineWould(avatar);
  if (signal.aborted) throw aborted(signal.reason);
  const upload = { ...options, uploadId: idempotencyKey, signal };
  try {
    const sha256 = await send({ api, call }, clip, upload);
    const source = { type: 'upload', uploadId: idempotencyKey, sha256 } as const;
    return await call({ signal, timeoutMs: createMs }, (request) =>
      api.avatars.create.mutate({ ...avatar, source, idempotencyKey }, request),
    );
  } catch (error) {
    // Who gave the key may go on with it. What cannot be removed now, the engine sweeps when nobody has touched it for long.
    const isLeft = signal.aborted || (options.idempotencyKey === undefined && TutorError.is(error) && !error.retryable);
    const abandon = (request: { readonly signal: AbortSignal }) => api.avatars.abandonUpload.mutate({ uploadId: idempotencyKey }, request);
    if (isLeft) await call({ timeoutMs: abandonMs, maxRetries: 0 }, abandon).catch(() => {});
    throw error;
  }
}

interface UploadAsked {
  readonly avatar: NewAvatar;
  readonly options: UploadOptions;
}

interface Upload extends UploadOptions {
  readonly uploadId: string;
  readonly signal: AbortSignal;
}

/** Piece after piece, from where the engine says; after a failure it is asked again. Answers the hash of the whole. */
async function send({ api, call }: Engine, clip: Clip, upload: Upload): Promise<string> {
  const { uploadId, signal, onProgress, reconnect = defaultReconnect } = upload;
  const { bytes } = clip;
  const retries = new Retries(reconnect, signal);
  const once = { signal, maxRetries: 0 };
  let safeBytes = -1;
  const reached = (offset: number) => {
    if (offset <= safeBytes) return;
    safeBytes = offset;
    retries.gotThrough();
    onProgress?.(offset, bytes);
  };
  for (;;) {
    try {
      const begun = await call(once, (request) => api.avatars.beginUpload.mutate({ uploadId, bytes }, request));
      let { offset } = begun;
      for (reached(offset); offset < bytes; reached(offset)) {
        const piece = await clip.read(offset, offset + begun.maxChunkBytes);
        const place = ofUpload(uploadId, offset);
        ({ offset } = await call({ ...once, timeoutMs: pieceMs }, (request) => api.avatars.upload.mutate(piece, { ...request, ...place })));
      }
      return await clip.hash();
    } catch (error) {
      if (!TutorError.is(error) || signal.aborted) throw error;
      await retries.after(error);
    }
  }
}

/** Never more of it in memory than one piece. */
class Clip {
  readonly bytes: number;
  readonly #clip: Blob | Uint8Array;
  readonly #sha256 = new Sha256();
  #hashedBytes = 0;

  constructor(clip: Blob | Uint8Array) {
    this.#clip = clip;
    this.bytes = clip instanceof Uint8Array ? clip.length : clip.size;
    if (this.bytes === 0) throw new TutorError('invalid_input', 'clip: there is nothing in it');
  }

  /** From `from` to before `to`, or to the end. Most often what was hashed last ends here. */
  async read(from: number, to: number): Promise<Uint8Array> {
    await this.#hashUpTo(from);
    const piece = await this.#slice(from, to);
    this.#sha256.update(piece.subarray(this.#hashedBytes - from));
    this.#hashedBytes = Math.max(this.#hashedBytes, from + piece.length);
    return piece;
  }

  /** Once: nothing can be read after it. */
  async hash(): Promise<string> {
    await this.#hashUpTo(this.bytes);
    return this.#sha256.digest();
  }

  async #hashUpTo(end: number): Promise<void> {
    while (this.#hashedBytes < end) {
      const piece = await this.#slice(this.#hashedBytes, Math.min(end, this.#hashedBytes + readBytes));
      this.#sha256.update(piece);
      this.#hashedBytes += piece.length;
    }
  }

  async #slice(from: number, to: number): Promise<Uint8Array> {
    if (this.#clip instanceof Uint8Array) return this.#clip.subarray(from, to);
    try {
      return new Uint8Array(await this.#clip.slice(from, to).arrayBuffer());
    } catch (cause) {
      throw new TutorError('invalid_input', 'clip: the file changed or cannot be read any more; choose it again', { cause });
    }
  }
}

/** So that no clip is sent for nothing. */
function refuseWhatTheEngineWould({ name, fileName = '', consent }: NewAvatar): void {
  const refuse = (what: string) => {
    throw new TutorError('invalid_input', what);
  };
  if (name.trim() === '' || name.trim().length > longest.name) refuse(`name: give 1 to ${longest.name} characters`);
  if (fileName.length > longest.fileName) refuse(`fileName: at most ${longest.fileName} characters`);
  if (consent.by === '' || consent.by.length > longest.by)
    refuse(`consent.by: name the person who is seen, in at most ${longest.by} characters`);
  if (consent.statement === '' || consent.statement.length > longest.statement) {
    refuse(`consent.statement: give what was agreed to, in at most ${longest.statement} characters`);
  }
}
