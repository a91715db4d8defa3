/** Wakes whoever waits for the next change. Check first, then wait: both in one tick, so none is missed. */
export class Changes {
  readonly #waiting = new Set<() => void>();

  /** Resolves at the next change, or when the signal aborts. */
  next(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      if (signal?.aborted === true) return resolve();
      this.#waiting.add(wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  tell(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
