import type { AuditedEvent } from '@virtual-tutor/sdk';
import { isRecord, numberOr, stringOr } from '../engine/plain-data.ts';
import { type CitationProof, citationsOf } from './timeline.ts';

/** Ms of each stage; null: there was none, or the reply is not whole. */
export interface Latency {
  readonly asrMs: number | null;
  readonly retrieveMs: number | null;
  readonly firstTokenMs: number | null;
  readonly firstAudioMs: number | null;
  readonly firstFrameMs: number | null;
  readonly totalMs: number | null;
}

/** Why the tutor said a sentence, from the log alone. */
export interface Reason {
  readonly revision: number;
  /** Null: forgotten. */
  readonly text: string | null;
  readonly question: string | null;
  readonly citations: readonly CitationProof[];
  /** Null for a log that lacks its beginning. */
  readonly reply: {
    readonly provider: string;
    readonly model: string;
    readonly temperature: number | null;
    readonly promptHash: string;
    readonly tutorRevision: number | null;
    /** Who could not answer. */
    readonly insteadOf: string | null;
  } | null;
  /** Null: it never reached the student. */
  readonly heard: AuditedEvent | null;
  readonly latency: Latency | null;
}

/** Each sentence up to a revision; what came of it later counts too. */
export function reasons(events: readonly AuditedEvent[], until: number): readonly Reason[] {
  const citations = citationsOf(events, until);
  return events
    .filter(({ type, revision }) => type === 'SentenceGenerated' && revision <= until)
    .map((sentence) => {
      const turnId = stringOr(sentence.payload['turnId'], '');
      const ofTurn = (type: string) => events.filter((event) => event.type === type && event.payload['turnId'] === turnId);
      const reply = ofTurn('ReplyStarted').findLast(({ revision }) => revision < sentence.revision);
      const heard = ofTurn('SentenceHeard').find(({ payload }) => payload['index'] === sentence.payload['index']);
      return {
        revision: sentence.revision,
        text: stringOr(sentence.personal?.['text'], null),
        question: stringOr(ofTurn('MessageReceived')[0]?.personal?.['text'], null),
        citations: citations(sentence),
        reply: reply === undefined ? null : replyOf(reply),
        heard: heard ?? null,
        latency: latencyOf(ofTurn('ReplyCompleted')[0]),
      };
    });
}

function replyOf({ payload }: AuditedEvent): NonNullable<Reason['reply']> {
  const fallback = payload['fallback'];
  return {
    provider: stringOr(payload['provider'], ''),
    model: stringOr(payload['model'], ''),
    temperature: numberOr(payload['temperature'], null),
    promptHash: stringOr(payload['promptHash'], ''),
    tutorRevision: numberOr(payload['tutorRevision'], null),
    insteadOf: isRecord(fallback) ? stringOr(fallback['from'], null) : null,
  };
}

function latencyOf(completed: AuditedEvent | undefined): Latency | null {
  const timings = completed?.payload['timings'];
  if (!isRecord(timings)) return null;
  const ms = (name: keyof Latency) => numberOr(timings[name], null);
  return {
    asrMs: ms('asrMs'),
    retrieveMs: ms('retrieveMs'),
    firstTokenMs: ms('firstTokenMs'),
    firstAudioMs: ms('firstAudioMs'),
    firstFrameMs: ms('firstFrameMs'),
    totalMs: ms('totalMs'),
  };
}
