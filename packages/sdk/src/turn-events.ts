import type { SessionView, TurnEvent, ViewedSentence, ViewedTurn } from './contract.ts';
import { turnIsOver } from './view.ts';

/**
 * What happened between two views of one turn. Readers are told by difference, so that one who lags
 * gets adjacent deltas joined and nothing has to be queued for her.
 */
export function turnEvents(before: ViewedTurn | undefined, after: ViewedTurn): readonly TurnEvent[] {
  if (before === after) return [];
  const { turnId } = after;
  const events: TurnEvent[] = [];
  if (after.passages.length > 0 && after.passages !== before?.passages) events.push({ type: 'passages', turnId, passages: after.passages });
  for (const sentence of after.sentences) {
    const shown = before?.sentences.find(({ index }) => index === sentence.index);
    if (shown !== sentence) events.push(...sentenceEvents(turnId, shown, sentence));
  }
  for (const { index, text } of before?.sentences ?? []) {
    const dropped = text !== '' && !after.sentences.some((sentence) => sentence.index === index);
    if (dropped) events.push({ type: 'rewrite', turnId, index, text: '' });
  }
  if (!wasOver(before)) events.push(...endEvents(after));
  return events;
}

/** The same for all turns of a lesson, oldest first. */
export function lessonEvents(before: SessionView, after: SessionView): readonly TurnEvent[] {
  if (before.turns === after.turns) return [];
  const earlier = new Map(before.turns.map((turn) => [turn.turnId, turn]));
  return after.turns.flatMap((turn) => turnEvents(earlier.get(turn.turnId), turn));
}

function wasOver(turn: ViewedTurn | undefined): boolean {
  return turn !== undefined && turnIsOver(turn);
}

function sentenceEvents(turnId: string, before: ViewedSentence | undefined, after: ViewedSentence): readonly TurnEvent[] {
  const { index, text, citations } = after;
  const shown = before?.text ?? '';
  const events: TurnEvent[] = [];
  if (!text.startsWith(shown)) events.push({ type: 'rewrite', turnId, index, text });
  else if (text !== shown) events.push({ type: 'text', turnId, index, delta: text.slice(shown.length) });
  if (after.closed && before?.closed !== true) events.push({ type: 'sentence', turnId, index, text, citations });
  return events;
}

function endEvents({ turnId, status, reply, failure, timings }: ViewedTurn): readonly TurnEvent[] {
  return status === 'waiting' || status === 'replying' ? [] : [{ type: 'done', turnId, reason: status, reply, failure, timings }];
}
