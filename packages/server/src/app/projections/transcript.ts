import { ErrorCode, TurnId, TurnTimings } from '@virtual-tutor/schemas';
import { z } from 'zod';
import type { ClearEvent } from '../event-codec.ts';
import type { Projection } from './projection.ts';

/** A turn without its words: those stay in the log, sealed, at these revisions. */
export const TranscriptTurnRow = z.object({
  tenantId: z.string(),
  /** The session's stream. */
  parent: z.string(),
  status: z.enum(['waiting', 'replying', 'completed', 'interrupted', 'failed']),
  sort: z.number(),
  turnId: TurnId,
  messageRevision: z.number().int(),
  sentences: z.array(z.object({ index: z.number().int(), revision: z.number().int(), heard: z.boolean() })),
  interruptionRevision: z.number().int().nullable(),
  receivedAt: z.string(),
});
export type TranscriptTurnRow = z.infer<typeof TranscriptTurnRow>;

function turnKey(event: ClearEvent): string | null {
  return 'turnId' in event.payload ? `${event.stored.stream}/${event.payload.turnId}` : null;
}

export const transcriptProjection: Projection<TranscriptTurnRow> = {
  name: 'transcript',
  version: 1,
  reads: 'session',
  parse: (row) => TranscriptTurnRow.parse(row),
  keyOf: turnKey,
  evolve(row, event) {
    const { stream, revision, position, meta } = event.stored;
    if (event.type === 'MessageReceived') {
      return {
        tenantId: meta.tenantId,
        parent: stream,
        status: 'waiting',
        sort: position,
        turnId: event.payload.turnId,
        messageRevision: revision,
        sentences: [],
        interruptionRevision: null,
        receivedAt: meta.occurredAt,
      };
    }
    if (row === null) return null;
    switch (event.type) {
      case 'ReplyStarted':
        return { ...row, status: 'replying' };
      case 'SentenceGenerated':
        return { ...row, sentences: [...row.sentences, { index: event.payload.index, revision, heard: false }] };
      case 'SentenceHeard': {
        const { index } = event.payload;
        return { ...row, sentences: row.sentences.map((sentence) => (sentence.index === index ? { ...sentence, heard: true } : sentence)) };
      }
      case 'ReplyCompleted':
        return { ...row, status: 'completed' };
      case 'ReplyInterrupted':
        return { ...row, status: 'interrupted', interruptionRevision: revision };
      case 'ReplyFailed':
        return { ...row, status: 'failed' };
      default:
        return row;
    }
  },
};

/** What a turn cost, and where its time went. */
export const UsageRow = z.object({
  tenantId: z.string(),
  /** The session's stream. */
  parent: z.string(),
  status: z.enum(['waiting', 'replying', 'completed', 'interrupted', 'failed']),
  sort: z.number(),
  turnId: TurnId,
  provider: z.string().nullable(),
  model: z.string().nullable(),
  fallback: z.object({ from: z.string(), code: ErrorCode }).nullable(),
  resumes: z.number().int(),
  timings: TurnTimings.nullable(),
  promptTokens: z.number().int().nullable(),
  completionTokens: z.number().int().nullable(),
});
export type UsageRow = z.infer<typeof UsageRow>;

export const usageProjection: Projection<UsageRow> = {
  name: 'usage',
  version: 1,
  reads: 'session',
  parse: (row) => UsageRow.parse(row),
  keyOf: turnKey,
  evolve(row, event) {
    if (event.type === 'MessageReceived') {
      const { stream, position, meta } = event.stored;
      const empty = { provider: null, model: null, fallback: null, resumes: 0, timings: null, promptTokens: null, completionTokens: null };
      return { tenantId: meta.tenantId, parent: stream, status: 'waiting', sort: position, turnId: event.payload.turnId, ...empty };
    }
    if (row === null) return null;
    switch (event.type) {
      case 'ReplyStarted': {
        const { provider, model, fallback } = event.payload;
        return { ...row, status: 'replying', provider, model, fallback };
      }
      case 'ReplyResumed':
        return { ...row, resumes: event.payload.attempt };
      case 'ReplyCompleted': {
        const { timings, usage } = event.payload;
        const tokens = { promptTokens: usage?.promptTokens ?? null, completionTokens: usage?.completionTokens ?? null };
        return { ...row, status: 'completed', timings, ...tokens };
      }
      case 'ReplyInterrupted':
        return { ...row, status: 'interrupted' };
      case 'ReplyFailed':
        return { ...row, status: 'failed' };
      default:
        return row;
    }
  },
};
