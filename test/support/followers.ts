import { setTimeout as pause } from 'node:timers/promises';
import { type EventStore, type StoredEvent, StoreUnavailable } from '../../packages/server/src/app/ports.ts';

/** Reads from a cursor to the end and waits for more, in pages of `limit`; ends when the signal aborts. */
export async function* follow(
  store: EventStore,
  { after, limit, signal }: { readonly after: number; readonly limit: number; readonly signal: AbortSignal },
): AsyncGenerator<StoredEvent, void, undefined> {
  let woken = Promise.withResolvers<void>();
  const wake = () => woken.resolve();
  const stop = store.onAppended(wake);
  signal.addEventListener('abort', wake);
  try {
    for (let cursor = after; !signal.aborted; ) {
      woken = Promise.withResolvers<void>();
      const page = await readPage(store, { after: cursor, limit });
      for (const event of page) {
        cursor = event.position;
        yield event;
      }
      if (page.length < limit) await woken.promise;
    }
  } finally {
    stop();
    signal.removeEventListener('abort', wake);
  }
}

async function readPage(store: EventStore, range: { readonly after: number; readonly limit: number }): Promise<readonly StoredEvent[]> {
  try {
    return await store.readAll(range);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    await pause(50);
    return [];
  }
}

/** Positions that a follower saw until `last`, in the order it saw them. */
export async function positionsUntil(
  store: EventStore,
  { after, limit, last }: { readonly after: number; readonly limit: number; readonly last: Promise<number> },
): Promise<readonly number[]> {
  const stop = new AbortController();
  const seen: number[] = [];
  let end = Number.POSITIVE_INFINITY;
  const check = () => {
    if ((seen.at(-1) ?? after) >= end) stop.abort();
  };
  const known = last.then((position) => {
    end = position;
    check();
  });
  for await (const event of follow(store, { after, limit, signal: stop.signal })) {
    seen.push(event.position);
    check();
  }
  await known;
  return seen;
}
