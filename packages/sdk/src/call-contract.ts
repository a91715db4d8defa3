import type { TutorErrorShape } from './error-contract.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** ms until the call rejects with code `timeout`; default 15 000. */
  readonly timeoutMs?: number;
  /** Further tries of a retryable failure; default 2. */
  readonly maxRetries?: number;
}

export interface MutationOptions extends CallOptions {
  /** UUIDv7; one is made for each call when omitted, and kept over its retries. */
  readonly idempotencyKey?: string;
}

/** Decides how long to wait before the next try, ms, or null to give up and close. */
export interface ReconnectPolicy {
  nextDelayMs(context: { readonly attempt: number; readonly elapsedMs: number; readonly error?: TutorErrorShape }): number | null;
}
