import type { SessionView, TutorSession } from '@virtual-tutor/sdk';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { codeOf } from '../engine/failure.ts';
import { randomUuid } from '../engine/random-uuid.ts';
import { keepOutbox, keptOutbox, type Unsent, without } from './outbox.ts';

export interface Outbox {
  readonly unsent: readonly Unsent[];
  readonly send: (text: string) => void;
  readonly sendAgain: (message: Unsent) => void;
  readonly discard: (message: Unsent) => void;
}

/** What was sent and is not in the lesson yet: it waits for a connection, and survives a reload. */
export function useOutbox(session: TutorSession | null, sessionId: string, view: SessionView): Outbox {
  const [all, setAll] = useState(() => keptOutbox(sessionId));
  /** Messages that a session has taken, by session: a later one must be given them again. */
  const taken = useRef(new WeakMap<TutorSession, Set<string>>());
  const arrived = useMemo(() => new Set(view.turns.map(({ clientMessageId }) => clientMessageId)), [view.turns]);
  const unsent = useMemo(() => without(all, arrived), [all, arrived]);

  useEffect(() => keepOutbox(sessionId, unsent), [sessionId, unsent]);

  const become = useCallback((id: string, failure: Unsent['failure']) => {
    setAll((current) => current.map((message) => (message.clientMessageId === id ? { ...message, failure } : message)));
  }, []);

  useEffect(() => {
    if (session === null || !view.caughtUp) return;
    const mine = taken.current.get(session) ?? new Set();
    taken.current.set(session, mine);
    for (const { clientMessageId, text, failure } of unsent) {
      if (failure !== null || mine.has(clientMessageId)) continue;
      mine.add(clientMessageId);
      session.chat.send(text, { clientMessageId }).id.catch((error: unknown) => {
        mine.delete(clientMessageId);
        const code = codeOf(error);
        // The session was left, not the message refused: the next session gets it.
        if (code !== 'aborted') become(clientMessageId, code);
      });
    }
  }, [session, view.caughtUp, unsent, become]);

  const send = useCallback((text: string) => setAll((current) => [...current, { clientMessageId: randomUuid(), text, failure: null }]), []);
  const sendAgain = useCallback(({ clientMessageId }: Unsent) => become(clientMessageId, null), [become]);
  const discard = useCallback(
    (message: Unsent) => setAll((current) => current.filter(({ clientMessageId }) => clientMessageId !== message.clientMessageId)),
    [],
  );
  return { unsent, send, sendAgain, discard };
}
