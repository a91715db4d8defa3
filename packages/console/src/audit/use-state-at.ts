import type { AuditedState, TutorClient } from '@virtual-tutor/sdk';
import { useEffect, useRef, useState } from 'react';

export type StateAtRevision =
  | { readonly status: 'loading' }
  | {
      readonly status: 'loaded';
      readonly value: AuditedState /** Of an earlier revision while the next one loads. */;
      readonly stale: boolean;
    }
  | { readonly status: 'failed'; readonly error: unknown };

/** Dragging the scrubber passes over many revisions: only one that is rested on is asked for. */
const restMs = 60;
/** Folds kept at hand. They never change: the log is append-only. */
const maxKept = 200;

/** The fold at a revision; the one before stays on show until the next is there. */
export function useStateAt(client: TutorClient, sessionId: string, revision: number): StateAtRevision {
  const folds = useRef(new Map<number, AuditedState>());
  const [shown, setShown] = useState<StateAtRevision>({ status: 'loading' });

  useEffect(() => {
    const kept = folds.current.get(revision);
    if (kept !== undefined) {
      setShown({ status: 'loaded', value: kept, stale: false });
      return;
    }
    setShown((current) => (current.status === 'loaded' ? { ...current, stale: true } : { status: 'loading' }));
    const moved = new AbortController();
    const timer = setTimeout(() => {
      client.audit.state(sessionId, { revision }, { signal: moved.signal }).then(
        (value) => {
          if (folds.current.size >= maxKept) folds.current.clear();
          folds.current.set(revision, value);
          if (!moved.signal.aborted) setShown({ status: 'loaded', value, stale: false });
        },
        (error: unknown) => {
          if (!moved.signal.aborted) setShown({ status: 'failed', error });
        },
      );
    }, restMs);
    return () => {
      clearTimeout(timer);
      moved.abort();
    };
  }, [client, sessionId, revision]);

  return shown;
}
