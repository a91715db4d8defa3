import type { ReconnectPolicy } from './call-contract.ts';
import type { TutorError } from './errors.ts';
import { sleep } from './waiting.ts';

/** Tries after failures, counted and timed from the first one since something got through. */
export class Retries {
  readonly #policy: ReconnectPolicy;
  readonly #signal: AbortSignal;
  #attempt = 0;
  #sinceMs: number | null = null;

  constructor(policy: ReconnectPolicy, signal: AbortSignal) {
    this.#policy = policy;
    this.#signal = signal;
  }

  gotThrough(): void {
    this.#attempt = 0;
    this.#sinceMs = null;
  }

  /** Resolves when it is time for the next try; throws the error when there shall be none. */
  async after(error: TutorError): Promise<void> {
    this.#sinceMs ??= Date.now();
    const lost = { attempt: this.#attempt, elapsedMs: Date.now() - this.#sinceMs, error };
    const delayMs = error.retryable ? this.#policy.nextDelayMs(lost) : null;
    if (delayMs === null) throw error;
    this.#attempt += 1;
    await sleep(Math.max(delayMs, error.retryAfterMs ?? 0), this.#signal);
  }
}
