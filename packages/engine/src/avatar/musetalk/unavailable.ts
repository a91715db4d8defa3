/** MuseTalk cannot be used as it is configured; `advice` says what whoever runs the server can do. */
export class MuseTalkUnavailable extends Error {
  override readonly name = 'MuseTalkUnavailable';
  readonly code:
    | 'manifest_missing'
    | 'manifest_invalid'
    | 'file_missing'
    | 'hash_mismatch'
    | 'not_loadable'
    | 'wrong_signature'
    | 'inference_failed'
    | 'self_test_failed';
  readonly advice: string;
  constructor(code: MuseTalkUnavailable['code'], reason: string, { advice, ...options }: ErrorOptions & { readonly advice: string }) {
    super(`${reason}; ${advice}`, options);
    this.code = code;
    this.advice = advice;
  }
}
