import { defaultReconnect } from './backoff.ts';
import { Changes } from './changes.ts';
import type { AuditedEvent } from './contract.ts';
import { aborted, LinkLost, type TutorError } from './errors.ts';
import { type Api, translated } from './transport.ts';
import { sleep } from './waiting.ts';

/** Events that may wait for a slow reader; above that the stream is cut and taken up again when they are read. */
const maxWaiting = 1_000;

export interface TailOptions {
  readonly signal?: AbortSignal;
  /** Position; events after it. */
  readonly after?: number;
}

/** Every event of the tenant, from `after` on, without an end. */
export async function* tailEvents(api: Api, options: TailOptions): AsyncGenerator<AuditedEvent, void, undefined> {
  const signal = options.signal ?? new AbortController().signal;
  let after = options.after ?? 0;
  let attempt = 0;
  for (let lostAtMs: number | null = null; ; ) {
    const stream = new TailStream(api, after);
    try {
      for await (const event of stream.read(signal)) {
        after = event.position;
        attempt = 0;
        lostAtMs = null;
        yield event;
      }
    } finally {
      stream.close();
    }
    const { error } = stream;
    if (signal.aborted) throw aborted(signal.reason);
    if (error === null) continue;
    lostAtMs ??= Date.now();
    const delayMs = error.retryable ? defaultReconnect.nextDelayMs({ attempt, elapsedMs: Date.now() - lostAtMs, error }) : null;
    if (delayMs === null) throw error;
    attempt += 1;
    await sleep(delayMs, signal);
  }
}

/** One stream of it. */
class TailStream {
  readonly #waiting: AuditedEvent[] = [];
  readonly #changes = new Changes();
  readonly #subscription: { unsubscribe(): void };
  #open = true;
  /** Why it stopped; null: cut because the reader was slow. */
  error: TutorError | null = null;

  constructor(api: Api, after: number) {
    this.#subscription = api.audit.tail.subscribe(
      { lastEventId: String(after) },
      {
        onData: ({ data }) => this.#take(data),
        onError: (error) => this.#stop(translated(error)),
        onComplete: () => this.#stop(new LinkLost('the engine stopped the stream')),
      },
    );
  }

  async *read(signal: AbortSignal): AsyncGenerator<AuditedEvent, void, undefined> {
    while (!signal.aborted) {
      const event = this.#waiting.shift();
      if (event !== undefined) yield event;
      else if (this.#open) await this.#changes.next(signal);
      else return;
    }
  }

  close(): void {
    this.#open = false;
    this.#subscription.unsubscribe();
  }

  #take(event: AuditedEvent): void {
    if (!this.#open) return;
    this.#waiting.push(event);
    if (this.#waiting.length >= maxWaiting) this.close();
    this.#changes.tell();
  }

  #stop(error: TutorError): void {
    if (!this.#open) return;
    this.#open = false;
    this.error = error;
    this.#changes.tell();
  }
}
