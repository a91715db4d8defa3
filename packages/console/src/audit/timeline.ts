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

export interface SentenceProof {
  readonly turnId: string;
  readonly index: number;
  readonly revision: number;
  /** Null: forgotten. */
  readonly text: string | null;
  readonly citations: readonly CitationProof[];
}

/** For each citing sentence, up to a revision, where its passages were found. From events alone: nothing is taken on trust. */
export function proofs(events: readonly AuditedEvent[], until: number): readonly SentenceProof[] {
  const found = new Map<string, NonNullable<CitationProof['found']>>();
  const sentences: SentenceProof[] = [];
  for (const event of events.filter(({ revision }) => revision <= until)) {
    const turnId = stringOr(event.payload['turnId'], '');
    if (event.type === 'PassagesRetrieved') remember(found, turnId, event);
    if (event.type !== 'SentenceGenerated') continue;
    const citations = stringsIn(event.payload['citations']);
    if (citations.length === 0) continue;
    sentences.push({
      turnId,
      index: numberOr(event.payload['index'], 0),
      revision: event.revision,
      text: stringOr(event.personal?.['text'], null),
      citations: citations.map((passageId) => ({ passageId, found: found.get(`${turnId} ${passageId}`) ?? null })),
    });
  }
  return sentences;
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
