/** Longest backlog of a reader of live things: what it missed by then is worth nothing. */
const mostWaiting = 256;

/** Live things for one reader, newest kept: a slow reader misses some and delays nobody. */
class LiveQueue<T> {
  readonly #droppable: (item: T) => boolean;
  readonly #waiting: T[] = [];
  #woken = Promise.withResolvers<void>();
  #ended = false;

  constructor(droppable: (item: T) => boolean) {
    this.#droppable = droppable;
  }

  push(item: T): void {
    this.#waiting.push(item);
    if (this.#waiting.length > mostWaiting) this.#waiting.splice(Math.max(0, this.#waiting.findIndex(this.#droppable)), 1);
    this.#woken.resolve();
  }

  end(): void {
    this.#ended = true;
    this.#woken.resolve();
  }

  /** Until `end`, with what still waits, or until `signal` aborts. */
  async *read(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    const stop = () => this.#woken.resolve();
    signal.addEventListener('abort', stop, { once: true });
    try {
      while (!signal.aborted) {
        const [next] = this.#waiting.splice(0, 1);
        if (next !== undefined) yield next;
        else if (this.#ended) return;
        else {
          await this.#woken.promise;
          this.#woken = Promise.withResolvers();
        }
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}

/** Live queues by key: pushed to all readers of that key. */
export class LiveQueues<K, T> {
  readonly #droppable: (item: T) => boolean;
  readonly #queues = new Map<K, Set<LiveQueue<T>>>();

  /** `droppable`: what a reader that is behind misses first. */
  constructor(droppable: (item: T) => boolean) {
    this.#droppable = droppable;
  }

  /** Those that somebody reads. */
  keys(): readonly K[] {
    return [...this.#queues.keys()];
  }

  has(key: K): boolean {
    return this.#queues.has(key);
  }

  push(key: K, item: T): void {
    for (const queue of this.#queues.get(key) ?? []) queue.push(item);
  }

  /** Its readers get what waits, and then their end. */
  end(key: K): void {
    for (const queue of this.#queues.get(key) ?? []) queue.end();
  }

  join(key: K): { read(signal: AbortSignal): AsyncGenerator<T, void, undefined> } & Disposable {
    const queue = new LiveQueue(this.#droppable);
    const queues = this.#queues.get(key) ?? new Set();
    queues.add(queue);
    this.#queues.set(key, queues);
    return {
      read: (signal) => queue.read(signal),
      [Symbol.dispose]: () => {
        queues.delete(queue);
        if (queues.size === 0 && this.#queues.get(key) === queues) this.#queues.delete(key);
      },
    };
  }
}
