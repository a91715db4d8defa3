import type { AuditedEvent } from '@virtual-tutor/sdk';
import { numberOr, recordsIn, stringOr, stringsIn } from '../engine/plain-data.ts';

/** Adjacent events of one turn, or of none. */
export interface EventGroup {
  /** Null: events of the lesson itself. */
  readonly turnId: string | null;
  /** Of the turn within the lesson, from 1; null for none. */
  readonly number: number | null;
  readonly events: readonly AuditedEvent[];
}

export function groupByTurn(events: readonly AuditedEvent[]): readonly EventGroup[] {
  const numbers = new Map<string, number>();
  const groups: { turnId: string | null; number: number | null; events: AuditedEvent[] }[] = [];
  for (const event of events) {
    const turnId = stringOr(event.payload['turnId'], null);
    if (turnId !== null && !numbers.has(turnId)) numbers.set(turnId, numbers.size + 1);
    const last = groups.at(-1);
    if (last !== undefined && last.turnId === turnId) last.events.push(event);
    else groups.push({ turnId, number: turnId === null ? null : (numbers.get(turnId) ?? null), events: [event] });
  }
  return groups;
}

/** Since the lesson's first event: `+1:05.230`. */
export function sinceStart(ms: number): string {
  const total = Math.max(0, Math.round(ms));
  const hours = Math.floor(total / 3_600_000);
  const minutes = Math.floor(total / 60_000) % 60;
  const seconds = Math.floor(total / 1_000) % 60;
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = hours === 0 ? `${minutes}:${two(seconds)}` : `${hours}:${two(minutes)}:${two(seconds)}`;
  return `+${clock}.${String(total % 1_000).padStart(3, '0')}`;
}

export interface CitationProof {
  readonly passageId: string;
  /** Where the passage was found for this turn; null: it was not. */
  readonly found: {
    readonly revision: number;
    /** From 1. */
    readonly rank: number;
    readonly total: number;
    readonly score: number | null;
    readonly contentHash: string;
    readonly knowledgeBaseId: string;
    readonly knowledgeRevision: number | null;
  } | null;
}

/** For a sentence, where its passages were found: from events alone, up to a revision; nothing is taken on trust. */
export function citationsOf(events: readonly AuditedEvent[], until: number): (sentence: AuditedEvent) => readonly CitationProof[] {
  const found = new Map<string, NonNullable<CitationProof['found']>>();
  for (const event of events)
    if (event.type === 'PassagesRetrieved' && event.revision <= until) remember(found, stringOr(event.payload['turnId'], ''), event);
  return ({ payload, revision }) =>
    stringsIn(payload['citations']).map((passageId) => {
      const place = found.get(`${stringOr(payload['turnId'], '')} ${passageId}`) ?? null;
      return { passageId, found: place !== null && place.revision < revision ? place : null };
    });
}

function remember(found: Map<string, NonNullable<CitationProof['found']>>, turnId: string, event: AuditedEvent): void {
  const passages = recordsIn(event.payload['passages']);
  passages.forEach((passage, at) => {
    found.set(`${turnId} ${stringOr(passage['passageId'], '')}`, {
      revision: event.revision,
      rank: at + 1,
      total: passages.length,
      score: numberOr(passage['score'], null),
      contentHash: stringOr(passage['contentHash'], ''),
      knowledgeBaseId: stringOr(event.payload['knowledgeBaseId'], ''),
      knowledgeRevision: numberOr(event.payload['knowledgeRevision'], null),
    });
  });
}
