export type UploadRefusal =
  | 'invalid_input'
  | 'payload_too_large'
  | 'quota_exceeded'
  | 'disk_full'
  | 'wrong_offset'
  | 'busy'
  | 'not_found'
  | 'conflict'
  | 'wrong_hash'
  /** The sender broke off or fell silent. */
  | 'interrupted';

/** An upload that cannot go on as asked. The message is static text and figures: no file name, no path. */
export class UploadRefused extends Error {
  override readonly name = 'UploadRefused';
  readonly code: UploadRefusal;
  /** Where to go on, bytes from the start; null where going on is not the remedy. */
  readonly resumeAt: number | null;
  constructor(code: UploadRefusal, message: string, options: ErrorOptions & { readonly resumeAt?: number } = {}) {
    super(message, options);
    this.code = code;
    this.resumeAt = options.resumeAt ?? null;
  }
}
