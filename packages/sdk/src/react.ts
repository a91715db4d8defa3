import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type {
  Captions,
  Hearing,
  MediaElement,
  MediaEvents,
  MediaState,
  MediaStats,
  MicState,
  SessionView,
  TutorMedia,
  TutorSession,
  ViewedTurn,
} from './contract.ts';
import { idleMedia, micOff, noCaptions, nothingHeard } from './media/at-rest.ts';
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

/** Voice and face as they stand: `idle` without a session. */
export function useMedia(session: TutorSession | null): MediaState {
  return useMediaPart(session, 'state', (media) => media?.state ?? idleMedia);
}

export function useMic(session: TutorSession | null): MicState {
  return useMediaPart(session, 'mic', (media) => media?.mic.state ?? micOff);
}

/** The sentence that is being said, word by word. */
export function useCaptions(session: TutorSession | null): Captions {
  return useMediaPart(session, 'captions', (media) => media?.captions ?? noCaptions);
}

/** What the engine hears of the student. */
export function useHearing(session: TutorSession | null): Hearing {
  return useMediaPart(session, 'hearing', (media) => media?.hearing ?? nothingHeard);
}

function useMediaPart<K extends keyof MediaEvents>(
  session: TutorSession | null,
  event: K,
  part: (media: TutorMedia | undefined) => MediaEvents[K],
): MediaEvents[K] {
  const subscribe = useCallback((listener: () => void) => session?.media.on(event, listener) ?? (() => {}), [session, event]);
  return useSyncExternalStore(
    subscribe,
    () => part(session?.media),
    () => part(undefined),
  );
}

/**
 * A `ref` for the element that shows the tutor; connects when the element is there. Why it does not
 * connect is in `useMedia`.
 *
 *     <video ref={useTutorVideo(session)} autoPlay playsInline />
 */
export function useTutorVideo(session: TutorSession | null): (element: MediaElement | null) => () => void {
  const left = useRef<AbortController | null>(null);
  return useCallback(
    (element) => {
      left.current?.abort();
      const attached = new AbortController();
      left.current = attached;
      if (element !== null) session?.media.attachVideo(element, { signal: attached.signal }).catch(() => {});
      // React 19 calls this instead of coming back with null.
      return () => attached.abort();
    },
    [session],
  );
}

/** Loudness of the student's microphone, 0 to 1 in twentieths, at most ten times a second. */
export function useMicLevel(session: TutorSession | null): number {
  const { sending } = useMic(session);
  const [level, setLevel] = useState(0);
  useEffect(() => {
    if (session === null || !sending) return;
    const timer = setInterval(() => setLevel(Math.round(session.media.mic.level() * 20) / 20), 100);
    return () => {
      clearInterval(timer);
      setLevel(0);
    };
  }, [session, sending]);
  return level;
}

/** How the connection does; null while there is none. `everyMs`: default 1 000. */
export function useMediaStats(session: TutorSession | null, everyMs = 1_000): MediaStats | null {
  const connected = useMedia(session).status === 'connected';
  const [stats, setStats] = useState<MediaStats | null>(null);
  useEffect(() => {
    if (session === null || !connected) return;
    let left = false;
    const timer = setInterval(() => {
      session.media.stats().then(
        (measured) => left || setStats(measured),
        () => {},
      );
    }, everyMs);
    return () => {
      left = true;
      clearInterval(timer);
      setStats(null);
    };
  }, [session, connected, everyMs]);
  return stats;
}
