import { jitteredMs } from './backoff.ts';
import type { Changes } from './changes.ts';
import { aborted, asTutorError, type TutorError } from './errors.ts';
import type { Link } from './link.ts';
import { sleep } from './waiting.ts';

export interface LiveSource<Item> {
  readonly changes: Changes;
  link(): Link | null;
  failure(): TutorError | null;
  /** One subscription on one link; resolves or rejects when it ends. */
  readonly follow: (link: Link, onItem: (item: Item) => void, signal: AbortSignal) => Promise<void>;
}

/** Least wait before it is followed again on the same link, ms. */
const againMs = 300;
/** Refusals after which the waits stay at their longest. */
const maxDoublings = 6;
/** Live items kept for a reader who lags; older ones are dropped: they are worth nothing any more. */
const maxKept = 256;

/** Items that are never resumed, over link after link, until the reader leaves or the session closes. */
export async function* liveItems<Item>(source: LiveSource<Item>, signal: AbortSignal | undefined): AsyncGenerator<Item, void, undefined> {
  const { changes } = source;
  const left = new AbortController();
  const leave = () => left.abort();
  signal?.addEventListener('abort', leave);
  const kept: Item[] = [];
  const onItem = (item: Item) => {
    kept.push(item);
    if (kept.length > maxKept) kept.shift();
    changes.tell();
  };
  let refusal: TutorError | null = null;
  followAll(source, onItem, left.signal).catch((error: unknown) => {
    refusal = asTutorError(error);
    changes.tell();
  });
  try {
    for (;;) {
      const item = kept.shift();
      if (item !== undefined) {
        yield item;
        continue;
      }
      if (signal?.aborted === true) throw aborted(signal.reason);
      const failure = source.failure() ?? refusal;
      if (failure !== null) {
        if (failure.code === 'aborted' || failure.code === 'session_ended') return;
        throw failure;
      }
      await changes.next(signal);
    }
  } finally {
    left.abort();
    signal?.removeEventListener('abort', leave);
  }
}

/** Rejects with a refusal that will not pass; resolves when there is nobody to read or nothing to follow any more. */
async function followAll<Item>(source: LiveSource<Item>, onItem: (item: Item) => void, left: AbortSignal): Promise<void> {
  for (let refusals = 0; !left.aborted && source.failure() === null; ) {
    const link = source.link();
    if (link === null || link.down.aborted) {
      await source.changes.next(left);
      continue;
    }
    try {
      await source.follow(link, onItem, left);
      // The engine ended it: not at once again.
      await sleep(againMs, left);
    } catch (thrown) {
      if (left.aborted || link.down.aborted) continue;
      const error = asTutorError(thrown);
      if (!error.retryable) throw error;
      await sleep(error.retryAfterMs ?? againMs + jitteredMs(Math.min(refusals, maxDoublings)), left);
      refusals += 1;
    }
  }
}
