/** Longest backlog of a reader of live things: what it missed by then is worth nothing. */
const mostWaiting = 256;

/** Live things for one reader, newest kept: a slow reader misses some and delays nobody. */
export class LiveQueue<T> {
  #waiting: T[] = [];
  #woken = Promise.withResolvers<void>();

  push(item: T): void {
    this.#waiting.push(item);
    if (this.#waiting.length > mostWaiting) this.#waiting.shift();
    this.#woken.resolve();
  }

  /** Until `signal` aborts. */
  async *read(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    const stop = () => this.#woken.resolve();
    signal.addEventListener('abort', stop, { once: true });
    try {
      while (!signal.aborted) {
        const [next] = this.#waiting.splice(0, 1);
        if (next !== undefined) yield next;
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
  readonly #queues = new Map<K, Set<LiveQueue<T>>>();

  has(key: K): boolean {
    return this.#queues.has(key);
  }

  push(key: K, item: T): void {
    for (const queue of this.#queues.get(key) ?? []) queue.push(item);
  }

  join(key: K): { readonly queue: LiveQueue<T> } & Disposable {
    const queue = new LiveQueue<T>();
    const queues = this.#queues.get(key) ?? new Set();
    queues.add(queue);
    this.#queues.set(key, queues);
    return {
      queue,
      [Symbol.dispose]: () => {
        queues.delete(queue);
        if (queues.size === 0) this.#queues.delete(key);
      },
    };
  }
}
