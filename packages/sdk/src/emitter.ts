type Listener<Event> = (event: Event) => void;

/** Typed listeners. One that throws is reported and disturbs nobody else. */
export class Emitter<Events> {
  readonly #listeners: { [K in keyof Events]?: Set<Listener<Events[K]>> } = {};
  readonly #onThrow: (error: unknown) => void;

  constructor(onThrow: (error: unknown) => void) {
    this.#onThrow = onThrow;
  }

  on<K extends keyof Events>(name: K, listener: Listener<Events[K]>, signal?: AbortSignal): () => void {
    if (signal?.aborted === true) return () => {};
    const listeners = this.#listeners[name] ?? new Set();
    this.#listeners[name] = listeners;
    // Wrapped: the same function added twice is told twice, and removed one at a time.
    const entry: Listener<Events[K]> = (event) => listener(event);
    const remove = () => {
      listeners.delete(entry);
      signal?.removeEventListener('abort', remove);
    };
    listeners.add(entry);
    signal?.addEventListener('abort', remove, { once: true });
    return remove;
  }

  emit<K extends keyof Events>(name: K, event: Events[K]): void {
    for (const listener of [...(this.#listeners[name] ?? [])]) {
      try {
        listener(event);
      } catch (error) {
        this.#onThrow(error);
      }
    }
  }
}
