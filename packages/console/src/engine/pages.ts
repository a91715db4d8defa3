/** Reads a listing a few rows at a time. */
export interface Pager<T> {
  next(): Promise<{ readonly items: readonly T[]; readonly more: boolean }>;
}

export function pagerOf<T>(listing: AsyncIterable<T>, size: number): Pager<T> {
  const iterator = listing[Symbol.asyncIterator]();
  let ahead: IteratorResult<T> | null = null;
  return {
    async next() {
      const items: T[] = [];
      let current = ahead ?? (await iterator.next());
      while (current.done !== true && items.length < size) {
        items.push(current.value);
        current = await iterator.next();
      }
      ahead = current;
      return { items, more: current.done !== true };
    },
  };
}

/** At most `limit` rows, for lists that are short by nature. */
export async function firstOf<T>(listing: AsyncIterable<T>, limit = 500): Promise<readonly T[]> {
  return (await pagerOf(listing, limit).next()).items;
}
