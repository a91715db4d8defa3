import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamName } from '@virtual-tutor/schemas';
import { type EventStore, type StoredEvent, StoreUnavailable } from './ports.ts';

const pageSize = 500;
/** Between two tries while the log is unreachable. */
const retryMs = 250;

export type EventListener = (stored: StoredEvent) => void;

/**
 * Follows the whole log, once per node, and tells its listeners of every event in order. Listeners
 * return at once and never throw; what they need to await, they start.
 */
export class Tail {
  readonly #store: EventStore;
  readonly #onDefect: (error: unknown) => void;
  readonly #all = new Set<EventListener>();
  readonly #byStream = new Map<StreamName, Set<EventListener>>();
  readonly #closing = new AbortController();
  #position: number;
  #wake: () => void = () => {};
  #running: Promise<void> = Promise.resolve();

  private constructor(store: EventStore, position: number, onDefect: (error: unknown) => void) {
    this.#store = store;
    this.#position = position;
    this.#onDefect = onDefect;
  }

  /** Starts at the log's head: history is read from the store by whoever needs it. */
  static async start(store: EventStore, onDefect: (error: unknown) => void): Promise<Tail> {
    const tail = new Tail(store, await store.head(), onDefect);
    tail.#running = tail.#follow();
    return tail;
  }

  /** Everything up to here was told. */
  get position(): number {
    return this.#position;
  }

  onEvent(listener: EventListener): () => void {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  onStream(stream: StreamName, listener: EventListener): () => void {
    const listeners = this.#byStream.get(stream) ?? new Set();
    this.#byStream.set(stream, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#byStream.get(stream) === listeners) this.#byStream.delete(stream);
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#running;
  }

  async #follow(): Promise<void> {
    let news = true;
    let woken = Promise.withResolvers<void>();
    this.#wake = () => {
      news = true;
      woken.resolve();
    };
    const unsubscribe = this.#store.onAppended(() => this.#wake());
    while (!this.#closing.signal.aborted) {
      if (!news) await woken.promise;
      news = false;
      woken = Promise.withResolvers<void>();
      try {
        await this.#drain();
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) this.#onDefect(error);
        news = true;
        await sleep(retryMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      }
    }
    unsubscribe();
  }

  async #drain(): Promise<void> {
    for (;;) {
      const page = await this.#store.readAll({ after: this.#position, limit: pageSize });
      for (const stored of page) {
        if (stored.position !== this.#position + 1) throw new Error(`the log skips from ${this.#position} to ${stored.position}`);
        this.#position = stored.position;
        this.#tell(stored);
      }
      if (page.length < pageSize || this.#closing.signal.aborted) return;
    }
  }

  #tell(stored: StoredEvent): void {
    for (const listener of [...(this.#byStream.get(stored.stream) ?? []), ...this.#all]) {
      try {
        listener(stored);
      } catch (error) {
        this.#onDefect(error);
      }
    }
  }
}
