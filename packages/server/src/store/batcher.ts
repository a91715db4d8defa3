import { setImmediate as nextTurn } from 'node:timers/promises';
import { StoreUnavailable } from '../app/ports.ts';

interface Waiting<Item, Result> {
  readonly key: string;
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Commands in one transaction: enough to share a commit, few enough to keep the order lock short. */
const maxBatch = 50;
/** Beyond this the database is not keeping up, and a newcomer is refused rather than kept. */
const maxWaiting = 10_000;

/**
 * Collects what comes while the batch before is under way, so that many writers share one commit. Two
 * items of one key never travel together; a batch that is refused is tried again one by one, so that a
 * bad item fails alone.
 */
export class Batcher<Item, Result> {
  readonly #run: (items: readonly Item[]) => Promise<readonly Result[]>;
  #waiting: Waiting<Item, Result>[] = [];
  #working: Promise<void> | null = null;

  constructor(run: (items: readonly Item[]) => Promise<readonly Result[]>) {
    this.#run = run;
  }

  /** Items of one key run in the order they came. */
  add(key: string, item: Item): Promise<Result> {
    if (this.#waiting.length >= maxWaiting) return Promise.reject(new StoreUnavailable('too many appends are waiting for the database'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, item, resolve, reject });
      this.#working ??= this.#work();
    });
  }

  async idle(): Promise<void> {
    while (this.#working !== null) await this.#working;
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Everyone answered by the batch before may have something new by now.
      await nextTurn();
      await this.#settle(this.#take());
    }
    this.#working = null;
  }

  #take(): Waiting<Item, Result>[] {
    const keys = new Set<string>();
    const batch: Waiting<Item, Result>[] = [];
    const rest: Waiting<Item, Result>[] = [];
    for (const one of this.#waiting) {
      if (batch.length < maxBatch && !keys.has(one.key)) batch.push(one);
      else rest.push(one);
      keys.add(one.key);
    }
    this.#waiting = rest;
    return batch;
  }

  async #settle(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#run(batch.map(({ item }) => item));
      for (const [i, one] of batch.entries()) {
        const result = results[i];
        if (result === undefined) one.reject(new Error('a batch gave too few answers'));
        else one.resolve(result);
      }
    } catch (error) {
      if (batch.length > 1 && !(error instanceof StoreUnavailable)) for (const one of batch) await this.#settle([one]);
      else for (const one of batch) one.reject(error);
    }
  }
}
