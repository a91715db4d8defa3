import { jitteredMs } from './backoff.ts';
import type { CallOptions } from './contract.ts';
import { asTutorError } from './errors.ts';
import { sleep, within } from './waiting.ts';

const defaults = { timeoutMs: 15_000, maxRetries: 2 } as const;

export type CallDefaults = Pick<CallOptions, 'timeoutMs' | 'maxRetries'>;
export type Call = <T>(options: CallOptions | undefined, work: (request: { readonly signal: AbortSignal }) => Promise<T>) => Promise<T>;

/** Runs calls under one deadline each, and repeats those whose failure may pass. `translate` knows the transport's errors. */
export function caller(own: CallDefaults, translate: (error: unknown) => unknown): Call {
  return (options, work) => {
    const timeoutMs = options?.timeoutMs ?? own.timeoutMs ?? defaults.timeoutMs;
    const maxRetries = options?.maxRetries ?? own.maxRetries ?? defaults.maxRetries;
    const deadlineMs = Date.now() + timeoutMs;
    return within({ signals: [options?.signal], timeoutMs }, async (signal) => {
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await work({ signal });
        } catch (thrown) {
          const error = asTutorError(translate(thrown));
          const delayMs = error.retryAfterMs ?? jitteredMs(attempt);
          const mayPass = error.retryable && attempt < maxRetries && !signal.aborted;
          // Past the deadline there is nothing to wait for: this reason now is worth more than a timeout later.
          if (!mayPass || Date.now() + delayMs >= deadlineMs) throw error;
          await sleep(delayMs, signal);
        }
      }
    });
  };
}
