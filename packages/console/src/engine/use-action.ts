import { useCallback, useRef, useState } from 'react';

export interface Action<Input extends readonly unknown[]> {
  readonly run: (...input: Input) => void;
  readonly busy: boolean;
  /** Why the last run failed; null while running and after a success. */
  readonly error: unknown;
}

/** One call at a time, with its outcome at hand for the view. */
export function useAction<Input extends readonly unknown[]>(work: (...input: Input) => Promise<void>): Action<Input> {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const running = useRef(false);
  const run = useCallback(
    (...input: Input) => {
      if (running.current) return;
      running.current = true;
      setBusy(true);
      setError(null);
      const settle = (failure: unknown) => {
        running.current = false;
        setBusy(false);
        setError(failure);
      };
      work(...input).then(
        () => settle(null),
        (failure: unknown) => settle(failure ?? new Error('failed without a reason')),
      );
    },
    [work],
  );
  return { run, busy, error };
}
