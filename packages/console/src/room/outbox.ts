import type { ErrorCode } from '@virtual-tutor/sdk';
import { recordsIn } from '../engine/plain-data.ts';
import { keep, keptJson } from '../engine/tab-storage.ts';

/** A message that the engine has not confirmed yet. Its id makes sending it again, even after a reload, the same message. */
export interface Unsent {
  readonly clientMessageId: string;
  readonly text: string;
  /** Null while it is on its way. */
  readonly failure: ErrorCode | null;
}

const keyOf = (sessionId: string) => `vt-outbox:${sessionId}`;

export function keepOutbox(sessionId: string, unsent: readonly Unsent[]): void {
  keep(
    keyOf(sessionId),
    unsent.length === 0 ? null : JSON.stringify(unsent.map(({ clientMessageId, text }) => ({ clientMessageId, text }))),
  );
}

export function keptOutbox(sessionId: string): readonly Unsent[] {
  return recordsIn(keptJson(keyOf(sessionId))).flatMap((item) => {
    const { clientMessageId, text } = item;
    return typeof clientMessageId === 'string' && typeof text === 'string' ? [{ clientMessageId, text, failure: null }] : [];
  });
}

/** What is still unsent once the engine shows these messages. */
export function without(unsent: readonly Unsent[], arrived: ReadonlySet<string>): readonly Unsent[] {
  const left = unsent.filter(({ clientMessageId }) => !arrived.has(clientMessageId));
  return left.length === unsent.length ? unsent : left;
}
