import { useCallback, useEffect, useState } from 'react';

export type Loaded<T> =
  | { readonly status: 'loading' }
  | { readonly status: 'loaded'; readonly value: T }
  | { readonly status: 'failed'; readonly error: unknown };

/** Loads when `load` changes (wrap it in `useCallback`) and on `reload`, which keeps the old value on show meanwhile. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>): { readonly loaded: Loaded<T>; readonly reload: () => void } {
  const [state, setState] = useState<{ readonly load: typeof load; readonly loaded: Loaded<T> }>({ load, loaded: { status: 'loading' } });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const ended = new AbortController();
    const settle = (loaded: Loaded<T>) => {
      if (!ended.signal.aborted) setState({ load, loaded });
    };
    load(ended.signal).then(
      (value) => settle({ status: 'loaded', value }),
      (error: unknown) => settle({ status: 'failed', error }),
    );
    return () => ended.abort();
  }, [load, round]);

  const reload = useCallback(() => setRound((current) => current + 1), []);
  return { loaded: state.load === load ? state.loaded : { status: 'loading' }, reload };
}
