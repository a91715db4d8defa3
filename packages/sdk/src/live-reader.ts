import { defaultReconnect } from './backoff.ts';
import { Changes } from './changes.ts';
import { aborted, LinkLost, type TutorError } from './errors.ts';
import { Retries } from './retries.ts';
import { translated } from './transport.ts';

/** Items that may wait for a slow reader; above that the stream is cut and taken up again when they are read. */
const maxWaiting = 1_000;

const ended = new LinkLost('the engine stopped the stream');

export interface StreamHandlers<Item> {
  readonly onData: (item: Item) => void;
  readonly onError: (error: unknown) => void;
  readonly onComplete: () => void;
}

/** Called for each connection anew: begins where the reader has got to. */
export type Subscribe<Item> = (handlers: StreamHandlers<Item>) => { unsubscribe(): void };

export interface Reading {
  readonly signal?: AbortSignal | undefined;
  /** Whether it is over when the engine ends it; otherwise it is taken up again. */
  readonly isOver: () => boolean;
}

/** The items of a stream, over connections that break. */
export async function* readLive<Item>(subscribe: Subscribe<Item>, reading: Reading): AsyncGenerator<Item, void, undefined> {
  const { signal = new AbortController().signal, isOver } = reading;
  const retries = new Retries(defaultReconnect, signal);
  for (;;) {
    const stream = new LiveStream(subscribe);
    try {
      for await (const item of stream.read(signal)) {
        retries.gotThrough();
        yield item;
      }
    } finally {
      stream.close();
    }
    if (signal.aborted) throw aborted(signal.reason);
    if (stream.error === ended && isOver()) return;
    if (stream.error !== null) await retries.after(stream.error);
  }
}

/** One connection of it. */
class LiveStream<Item> {
  readonly #waiting: Item[] = [];
  readonly #changes = new Changes();
  readonly #subscription: { unsubscribe(): void };
  #open = true;
  /** Why it stopped; null: cut because the reader was slow. */
  error: TutorError | null = null;

  constructor(subscribe: Subscribe<Item>) {
    this.#subscription = subscribe({
      onData: (item) => this.#take(item),
      onError: (error) => this.#stop(translated(error)),
      onComplete: () => this.#stop(ended),
    });
  }

  async *read(signal: AbortSignal): AsyncGenerator<Item, void, undefined> {
    while (!signal.aborted) {
      const item = this.#waiting.shift();
      if (item !== undefined) yield item;
      else if (this.#open) await this.#changes.next(signal);
      else return;
    }
  }

  close(): void {
    this.#open = false;
    this.#subscription.unsubscribe();
  }

  #take(item: Item): void {
    if (!this.#open) return;
    this.#waiting.push(item);
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
