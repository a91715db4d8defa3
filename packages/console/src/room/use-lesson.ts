import type { ConnectionState, ErrorCode, SessionView, TutorClient, TutorSession } from '@virtual-tutor/sdk';
import { connectSession, emptyView } from '@virtual-tutor/sdk/browser';
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { codeOf } from '../engine/failure.ts';
import { isFresh, keepGrant, keptGrant, renewalDelayMs } from '../engine/grants.ts';
import { engineUrl, type SignIn } from '../engine/staff.tsx';

export interface Connection {
  readonly state: ConnectionState;
  /** Why it closed. */
  readonly failure: ErrorCode | null;
}

export interface Lesson {
  /** Null until the first connection is on its way. */
  readonly session: TutorSession | null;
  readonly connection: Connection;
  readonly reconnect: () => void;
}

const connecting: Connection = { state: 'connecting', failure: null };
/** Wait after a renewal that failed, ms. */
const renewAgainMs = 10_000;

/** Connects this tab to a lesson and keeps its token fresh. The feed replays from the start: nothing is kept but the grant. */
export function useLesson(sessionId: string, signIn: SignIn): Lesson {
  const [session, setSession] = useState<TutorSession | null>(null);
  const [connection, setConnection] = useState<Connection>(connecting);
  const [attempt, setAttempt] = useState(0);
  const client = useRef<TutorClient | null>(null);
  client.current = signIn.status === 'signedIn' && signIn.roles.includes('operator') ? signIn.client : null;
  const mayOpen = keptGrant(sessionId) !== null || signIn.status === 'signedIn' || signIn.status === 'needsKey';
  useEffect(() => {
    if (!mayOpen) return;
    const left = new AbortController();
    const { signal } = left;
    setConnection(connecting);
    void open(sessionId, { client, signal })
      .then((opened) => {
        if (signal.aborted) return;
        setSession(opened);
        setConnection({ state: opened.state, failure: null });
        opened.on('state', ({ state, error }) => setConnection({ state, failure: error === undefined ? null : codeOf(error) }), { signal });
        keepTokenFresh(opened, signal);
      })
      .catch((error: unknown) => {
        if (!signal.aborted) setConnection({ state: 'closed', failure: codeOf(error) });
      });
    return () => {
      left.abort();
      setSession(null);
    };
  }, [sessionId, mayOpen, attempt]);

  const reconnect = useCallback(() => setAttempt((current) => current + 1), []);
  return { session, connection, reconnect };
}

export function useView(session: TutorSession | null): SessionView {
  const subscribe = useCallback((onChange: () => void) => session?.on('view', onChange) ?? (() => undefined), [session]);
  return useSyncExternalStore(subscribe, () => session?.view ?? emptyView);
}

interface Opening {
  readonly client: { readonly current: TutorClient | null };
  readonly signal: AbortSignal;
}

async function open(sessionId: string, { client, signal }: Opening): Promise<TutorSession> {
  const token = () => freshToken(sessionId, client.current);
  await token();
  return connectSession({ url: engineUrl, sessionId, token, signal });
}

async function freshToken(sessionId: string, client: TutorClient | null): Promise<string> {
  const grant = keptGrant(sessionId);
  // A student has nothing but the grant, and school devices have wrong clocks: the engine refuses what has expired.
  if (grant !== null && (client === null || isFresh(grant, Date.now()))) return grant.token;
  if (client === null) throw new NoAccess();
  const issued = await client.sessions.issueToken(sessionId);
  keepGrant(issued);
  return issued.token;
}

/** This tab holds nothing that opens the lesson, or nothing any more. */
class NoAccess extends Error {
  override readonly name = 'NoAccess';
  readonly code = 'unauthorized';
}

function keepTokenFresh(session: TutorSession, signal: AbortSignal): void {
  const grant = keptGrant(session.id);
  if (grant === null) return;
  const again = (delayMs: number) => {
    const timer = setTimeout(renew, delayMs);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  };
  const renew = () => {
    session.renewToken().then(
      (renewed) => {
        if (signal.aborted) return;
        keepGrant(renewed);
        again(renewalDelayMs(renewed, Date.now()));
      },
      () => {
        if (!signal.aborted && session.state !== 'closed') again(renewAgainMs);
      },
    );
  };
  again(renewalDelayMs(grant, Date.now()));
}
