import { useCallback, useEffect, useRef, useState } from 'react';
import { type Pager, pagerOf } from '../engine/pages.ts';

export interface Pages<T> {
  /** Null until the first page is there. */
  readonly items: readonly T[] | null;
  readonly more: boolean;
  readonly error: unknown;
  readonly showMore: () => void;
}

/** A listing read page by page; `list` starts it from the first row (wrap it in `useCallback`). */
export function usePages<T>(list: () => AsyncIterable<T>, size: number): Pages<T> {
  const [state, setState] = useState<Omit<Pages<T>, 'showMore'>>({ items: null, more: false, error: null });
  const pager = useRef<Pager<T> | null>(null);

  const read = useCallback((from: Pager<T>) => {
    const isCurrent = () => pager.current === from;
    from.next().then(
      ({ items, more }) => {
        if (isCurrent()) setState((current) => ({ items: [...(current.items ?? []), ...items], more, error: null }));
      },
      (error: unknown) => {
        if (isCurrent()) setState((current) => ({ ...current, error }));
      },
    );
  }, []);

  useEffect(() => {
    const fresh = pagerOf(list(), size);
    pager.current = fresh;
    setState({ items: null, more: false, error: null });
    read(fresh);
    return () => {
      pager.current = null;
    };
  }, [list, size, read]);

  const showMore = useCallback(() => {
    if (pager.current !== null) read(pager.current);
  }, [read]);
  return { ...state, showMore };
}
