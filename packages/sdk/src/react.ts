import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import type { SessionView, TutorSession, ViewedTurn } from './contract.ts';
import { type Connect, idle, SessionStore, type StoredSession } from './session-store.ts';
import { emptyView } from './view.ts';

export type { Connect, StoredSession } from './session-store.ts';

export interface SessionControl extends StoredSession {
  /** Connects; a session of an earlier start is closed. Failures show up in `error`. */
  readonly start: () => Promise<void>;
  readonly stop: () => void;
}

/**
 * A session that lives no longer than the component. Nothing is opened before `start()`, so that
 * rendering twice or on a server opens nothing.
 *
 *     const lesson = useTutorSession(async (signal) => connectSession({ ...(await fetchGrant()), signal }));
 */
export function useTutorSession(connect: Connect): SessionControl {
  const [store] = useState(() => new SessionStore());
  const stored = useSyncExternalStore(store.subscribe, store.snapshot, () => idle);
  const start = useCallback(() => store.start(connect), [store, connect]);
  const stop = useCallback(() => store.stop(), [store]);
  useEffect(() => stop, [stop]);
  return { ...stored, start, stop };
}

/** The lesson as it stands; empty without a session. */
export function useSessionView(session: TutorSession | null): SessionView {
  const subscribe = useCallback((listener: () => void) => session?.on('view', listener) ?? (() => {}), [session]);
  return useSyncExternalStore(
    subscribe,
    () => session?.view ?? emptyView,
    () => emptyView,
  );
}

/** Its questions and answers, oldest first. */
export function useTurns(session: TutorSession | null): readonly ViewedTurn[] {
  return useSessionView(session).turns;
}
