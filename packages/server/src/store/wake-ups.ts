import type { Sql } from 'postgres';

/** Without a notification, how long until the log is looked at again, and until a lost connection is made again, ms. */
const pollMs = 1_000;

export interface ListenHandlers {
  readonly onNotify: () => void;
  readonly onLost: () => void;
}

/**
 * Wakes its subscribers on every commit of any node, and once per poll interval. Notifications only
 * make it quicker: one that gets lost, or a connection that does, costs a poll interval and no event.
 */
export class WakeUps implements AsyncDisposable {
  readonly #subscribers = new Set<() => void>();
  readonly #client: Sql | null;
  readonly #poll: NodeJS.Timeout;
  #state: 'lost' | 'asking' | 'listening' = 'lost';

  constructor(listener: ((handlers: ListenHandlers) => Sql) | null) {
    const onLost = () => {
      this.#state = 'lost';
    };
    this.#client = listener?.({ onNotify: () => this.wake(), onLost }) ?? null;
    this.#poll = setInterval(() => {
      this.#listen();
      this.wake();
    }, pollMs);
    this.#poll.unref();
    this.#listen();
  }

  subscribe(wake: () => void): () => void {
    this.#subscribers.add(wake);
    return () => this.#subscribers.delete(wake);
  }

  wake(): void {
    for (const wake of this.#subscribers) wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#poll);
    this.#subscribers.clear();
    await this.#client?.end({ timeout: 1 });
  }

  #listen(): void {
    if (this.#client === null || this.#state !== 'lost') return;
    this.#state = 'asking';
    this.#client.unsafe('listen es_appended').then(
      () => {
        this.#state = 'listening';
        // What was committed before we listened.
        this.wake();
      },
      () => {
        this.#state = 'lost';
      },
    );
  }
}
