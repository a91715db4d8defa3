import type { SessionView, TutorSession } from '@virtual-tutor/sdk';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { codeOf } from '../engine/failure.ts';
import { keepOutbox, keptOutbox, type Unsent, without } from './outbox.ts';

export interface Outbox {
  readonly unsent: readonly Unsent[];
  readonly send: (text: string) => void;
  readonly sendAgain: (message: Unsent) => void;
  readonly discard: (message: Unsent) => void;
}

/** What was sent and is not in the lesson yet. Kept over reloads, and sent again after one. */
export function useOutbox(session: TutorSession | null, sessionId: string, view: SessionView): Outbox {
  const [all, setAll] = useState(() => keptOutbox(sessionId));
  const leftOver = useRef<readonly Unsent[]>(all);
  const arrived = useMemo(() => new Set(view.turns.map(({ clientMessageId }) => clientMessageId)), [view.turns]);
  const unsent = useMemo(() => without(all, arrived), [all, arrived]);

  useEffect(() => keepOutbox(sessionId, unsent), [sessionId, unsent]);

  const deliver = useCallback(
    (text: string, clientMessageId?: string) => {
      if (session === null) return;
      const turn = session.chat.send(text, clientMessageId === undefined ? {} : { clientMessageId });
      const id = turn.clientMessageId;
      const become = (failure: Unsent['failure']) =>
        setAll((current) => [...current.filter((message) => message.clientMessageId !== id), { clientMessageId: id, text, failure }]);
      become(null);
      turn.id.then(
        () => setAll((current) => current.map((message) => (message.clientMessageId === id ? { ...message, failure: null } : message))),
        (error: unknown) => become(codeOf(error)),
      );
    },
    [session],
  );

  useEffect(() => {
    if (session === null || !view.caughtUp) return;
    const messages = without(leftOver.current, arrived);
    leftOver.current = [];
    for (const { text, clientMessageId } of messages) deliver(text, clientMessageId);
  }, [session, view.caughtUp, arrived, deliver]);

  const sendAgain = useCallback((message: Unsent) => deliver(message.text, message.clientMessageId), [deliver]);
  const discard = useCallback(
    (message: Unsent) => setAll((current) => current.filter(({ clientMessageId }) => clientMessageId !== message.clientMessageId)),
    [],
  );
  return { unsent, send: deliver, sendAgain, discard };
}
