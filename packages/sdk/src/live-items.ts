import type { Changes } from './changes.ts';
import { aborted, asTutorError, type TutorError } from './errors.ts';
import type { Link } from './link.ts';

export interface LiveSource<Item> {
  readonly changes: Changes;
  link(): Link | null;
  failure(): TutorError | null;
  /** One subscription on one link; resolves or rejects when it ends. */
  readonly follow: (link: Link, onItem: (item: Item) => void, signal: AbortSignal) => Promise<void>;
}

/** Live items kept for a reader who lags; older ones are dropped: they are worth nothing any more. */
const maxKept = 256;

/** Items that are never resumed, over link after link, until the reader leaves or the session closes. */
export async function* liveItems<Item>(source: LiveSource<Item>, signal: AbortSignal | undefined): AsyncGenerator<Item, void, undefined> {
  const kept: Item[] = [];
  const left = new AbortController();
  const leave = () => left.abort();
  signal?.addEventListener('abort', leave);
  const { changes } = source;
  let refusal: TutorError | null = null;
  void (async () => {
    for (let last: Link | null = null; !left.signal.aborted && source.failure() === null && refusal === null; ) {
      const link = source.link();
      if (link === null || link === last || link.down.aborted) {
        await changes.next(left.signal);
        continue;
      }
      last = link;
      await source
        .follow(
          link,
          (item) => {
            kept.push(item);
            if (kept.length > maxKept) kept.shift();
            changes.tell();
          },
          left.signal,
        )
        .catch((error: unknown) => {
          const failure = asTutorError(error);
          if (!link.down.aborted && !left.signal.aborted) refusal = failure;
          changes.tell();
        });
    }
  })();
  try {
    for (;;) {
      const item = kept.shift();
      if (item !== undefined) {
        yield item;
        continue;
      }
      if (signal?.aborted === true) throw aborted(signal.reason);
      if (refusal !== null) throw refusal;
      const failure = source.failure();
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
