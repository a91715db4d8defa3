import { StoreUnavailable } from './ports.ts';

export interface CatchUpOptions {
  /** Asked while somebody waits: the position that the read model has passed, or null when it is not known. */
  readonly ask: () => Promise<number | null>;
  /** Somebody waits now. */
  readonly onWaiting: () => void;
}

interface Waiting {
  readonly position: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

const timeoutMs = 10_000;
const askEveryMs = 20;

/** Callers who wait until the read model has passed a position. However many they are, one question is asked for all. */
export class CatchUp {
  readonly #options: CatchUpOptions;
  readonly #waiting = new Set<Waiting>();
  #passed = 0;
  #asking: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  get isWaitedFor(): boolean {
    return this.#waiting.size > 0;
  }

  waitFor(position: number): Promise<void> {
    if (position <= this.#passed) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new StoreUnavailable('the engine is shutting down'));
      const late = () => this.#settle(waiting, () => reject(new StoreUnavailable('the read model did not catch up in time')));
      const waiting: Waiting = { position, resolve, reject, timer: setTimeout(late, timeoutMs) };
      this.#waiting.add(waiting);
      this.#options.onWaiting();
      this.#asking ??= setTimeout(() => void this.#ask(), 0);
    });
  }

  /** Positions of what serves never fall, so what was passed once stays passed. */
  pass(position: number): void {
    this.#passed = Math.max(this.#passed, position);
    for (const waiting of this.#waiting) if (waiting.position <= this.#passed) this.#settle(waiting, waiting.resolve);
  }

  close(): void {
    this.#closed = true;
    for (const waiting of this.#waiting) {
      this.#settle(waiting, () => waiting.reject(new StoreUnavailable('the engine is shutting down')));
    }
  }

  #settle(waiting: Waiting, settle: () => void): void {
    clearTimeout(waiting.timer);
    this.#waiting.delete(waiting);
    settle();
  }

  async #ask(): Promise<void> {
    // Unreachable for now: those who wait have their own time limit.
    const position = await this.#options.ask().catch(() => null);
    if (position !== null) this.pass(position);
    this.#asking = this.isWaitedFor ? setTimeout(() => void this.#ask(), askEveryMs) : null;
  }
}
