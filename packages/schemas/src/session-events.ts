import { z } from 'zod';
import { ErrorCode } from './errors.ts';
import type { EventCatalogue, EventOf, NewEventOf } from './event-definition.ts';
import { DocumentId, KeyId, KnowledgeBaseId, Locale, PassageId, Sha256, StudentId, TurnId, TutorId } from './ids.ts';
import { Quality, QualityReason } from './session-signals.ts';
import { WordsDays } from './tenant-events.ts';

const durationMs = z.number().nonnegative();
const index = z.number().int().nonnegative();

export const SessionLimits = z.strictObject({
  /** From create to forced end. */
  maxDurationMs: z.number().int().positive(),
  /** Without a message from the student. */
  idleMs: z.number().int().positive(),
});
export type SessionLimits = z.infer<typeof SessionLimits>;

export const RetrievedPassage = z.strictObject({
  documentId: DocumentId,
  passageId: PassageId,
  contentHash: Sha256,
  /** The ranker's own scale; higher is better. */
  score: z.number(),
});
export type RetrievedPassage = z.infer<typeof RetrievedPassage>;

export const TokenUsage = z.strictObject({
  promptTokens: z.number().int().nonnegative(),
  completionTokens: z.number().int().nonnegative(),
});
export type TokenUsage = z.infer<typeof TokenUsage>;

/** Where the time of a turn went, ms after `MessageReceived` was handled. */
export const TurnTimings = z.strictObject({
  /** Recognition, from the end of the student's voice to `MessageReceived`; null: typed. */
  asrMs: durationMs.nullable(),
  retrieveMs: durationMs,
  firstTokenMs: durationMs,
  /** First packet of the tutor's voice, and first frame of a moving mouth, leaving the engine; null: text only. */
  firstAudioMs: durationMs.nullable(),
  firstFrameMs: durationMs.nullable(),
  totalMs: durationMs,
});
export type TurnTimings = z.infer<typeof TurnTimings>;

const TimingsV1 = z.strictObject({ retrieveMs: durationMs, firstTokenMs: durationMs, totalMs: durationMs });
const textOnly = { asrMs: null, firstAudioMs: null, firstFrameMs: null };

/** Who turned a voice into text, and how long that took. */
export const Recognition = z.strictObject({
  engine: z.string(),
  model: z.string(),
  /** From the end of the voice to the text. */
  asrMs: durationMs,
  /** Length of the utterance. */
  durationMs,
});
export type Recognition = z.infer<typeof Recognition>;

/** One end of a media connection; never an address of a student. */
export const MediaCandidate = z.strictObject({
  type: z.enum(['host', 'relay']),
  port: z.number().int().min(1).max(65_535),
  protocol: z.enum(['udp', 'tcp']),
});
export type MediaCandidate = z.infer<typeof MediaCandidate>;

/** How a sentence reached the student. */
export const Playout = z.discriminatedUnion('medium', [
  z.strictObject({ medium: z.literal('text') }),
  z.strictObject({
    medium: z.literal('voice'),
    /** Of the sentence's length, how much the student's browser is known to have played. */
    heardMs: durationMs,
    durationMs,
  }),
]);
export type Playout = z.infer<typeof Playout>;

export const SessionEndReason = z.enum(['student', 'operator', 'timeout', 'idle', 'revoked']);
export type SessionEndReason = z.infer<typeof SessionEndReason>;

export const sessionEvents = {
  SessionCreated: {
    version: 1,
    payload: z.strictObject({
      tutorId: TutorId,
      tutorRevision: z.number().int().positive(),
      studentId: StudentId,
      knowledgeBaseId: KnowledgeBaseId.nullable(),
      locale: Locale,
      limits: SessionLimits,
      /** `user`: tokens may cover all sessions of this student (the predecessor's user mode). */
      mode: z.enum(['session', 'user']),
    }),
  },
  JoinLinkIssued: {
    version: 1,
    payload: z.strictObject({ linkId: KeyId, codeHash: Sha256, expiresAt: z.iso.datetime() }),
  },
  JoinLinkRedeemed: { version: 1, payload: z.strictObject({ linkId: KeyId }) },
  SessionHosted: {
    version: 1,
    payload: z.strictObject({
      node: z.string().min(1),
      /** Grows with each take-over; facts of an older epoch are refused. */
      epoch: z.number().int().positive(),
    }),
  },
  SessionReleased: { version: 1, payload: z.strictObject({ epoch: z.number().int().positive(), reason: z.enum(['shutdown', 'ended']) }) },
  MessageReceived: {
    version: 2,
    payload: z.strictObject({
      turnId: TurnId,
      clientMessageId: z.uuid(),
      modality: z.enum(['text', 'voice']),
      language: Locale,
      /** Who understood it; null: typed. */
      asr: Recognition.nullable(),
    }),
    upcasts: { 1: (payload) => ({ ...payload, asr: null }) },
    personal: z.strictObject({ text: z.string() }),
  },
  PassagesRetrieved: {
    version: 1,
    payload: z.strictObject({
      turnId: TurnId,
      knowledgeBaseId: KnowledgeBaseId,
      knowledgeRevision: z.number().int().nonnegative(),
      passages: z.array(RetrievedPassage),
    }),
  },
  ReplyStarted: {
    version: 1,
    payload: z.strictObject({
      turnId: TurnId,
      provider: z.string(),
      model: z.string(),
      promptHash: Sha256,
      temperature: z.number(),
      tutorRevision: z.number().int().positive(),
      /** Set when the wished-for provider could not answer and this one stepped in. */
      fallback: z.strictObject({ from: z.string(), code: ErrorCode }).nullable(),
    }),
  },
  /** A host took the session over with the reply unfinished and goes on after the sentences already generated. */
  ReplyResumed: { version: 1, payload: z.strictObject({ turnId: TurnId, fromIndex: index, attempt: z.number().int().positive() }) },
  SentenceGenerated: {
    version: 1,
    payload: z.strictObject({ turnId: TurnId, index, citations: z.array(PassageId) }),
    personal: z.strictObject({
      /** The exact slice of the reply, white space included: the sentences joined are the reply. */
      text: z.string(),
    }),
  },
  SentenceHeard: { version: 1, payload: z.strictObject({ turnId: TurnId, index, playout: Playout }) },
  ReplyCompleted: {
    version: 2,
    payload: z.strictObject({
      turnId: TurnId,
      sentences: z.number().int().nonnegative(),
      usage: TokenUsage.nullable(),
      timings: TurnTimings,
    }),
    upcasts: { 1: ({ timings, ...payload }) => ({ ...payload, timings: { ...textOnly, ...TimingsV1.parse(timings) } }) },
  },
  ReplyInterrupted: {
    version: 2,
    payload: z.strictObject({
      turnId: TurnId,
      by: z.enum(['student', 'operator', 'timeout']),
      heardSentences: z.number().int().nonnegative(),
      discardedSentences: z.number().int().nonnegative(),
      /** Of the sentence that was cut, how much was played; null: it was read. */
      heardMs: durationMs.nullable(),
    }),
    upcasts: { 1: (payload) => ({ ...payload, heardMs: null }) },
    personal: z.strictObject({
      /** All that was shown or played, the cut sentence included. */
      heardText: z.string(),
    }),
  },
  ReplyFailed: { version: 1, payload: z.strictObject({ turnId: TurnId, code: ErrorCode, retryable: z.boolean() }) },
  MediaConnected: { version: 1, payload: z.strictObject({ peerId: z.uuid(), local: MediaCandidate, remote: MediaCandidate }) },
  MediaDisconnected: {
    version: 1,
    payload: z.strictObject({
      peerId: z.uuid(),
      reason: z.enum(['closed', 'replaced', 'lost', 'failed']),
      connectedMs: durationMs,
      /** To the browser. */
      bytesSent: z.number().int().nonnegative(),
    }),
  },
  QualityChanged: { version: 1, payload: z.strictObject({ from: Quality, to: Quality, reason: QualityReason }) },
  SessionEnded: { version: 1, payload: z.strictObject({ reason: SessionEndReason }) },
  /** The school's rule for keeping words was up: this lesson's key was destroyed. */
  SessionWordsExpired: { version: 1, payload: z.strictObject({ studentId: StudentId, afterDays: WordsDays }) },
} as const satisfies EventCatalogue;

export type SessionEvent = EventOf<typeof sessionEvents>;
export type NewSessionEvent = NewEventOf<typeof sessionEvents>;
