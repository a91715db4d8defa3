import { z } from 'zod';
import { ErrorCode } from './errors.ts';
import { DocumentId, Locale, PassageId, TurnId } from './ids.ts';
import { SessionEndReason, TokenUsage, TurnTimings } from './session-events.ts';
import { Quality, QualityReason } from './session-signals.ts';

const index = z.number().int().nonnegative();

/** A passage as the student may open it. Title and text are null when the document was removed since. */
export const CitedPassage = z.object({
  passageId: PassageId,
  documentId: DocumentId,
  title: z.string().nullable(),
  text: z.string().nullable(),
});
export type CitedPassage = z.infer<typeof CitedPassage>;

/**
 * What `session.events` carries: the student's view of the session's durable events, and deltas of
 * the reply in the making. Each item is addressed by a feed id.
 */
export const FeedItem = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('sessionOpened'),
    locale: Locale,
    tutorId: z.string(),
    tutorName: z.string(),
    greeting: z.string(),
    at: z.iso.datetime(),
  }),
  z.object({
    type: z.literal('message'),
    turnId: TurnId,
    clientMessageId: z.string(),
    modality: z.enum(['text', 'voice']),
    /** Null once the student was forgotten; likewise below. */
    text: z.string().nullable(),
    at: z.iso.datetime(),
  }),
  z.object({ type: z.literal('passages'), turnId: TurnId, passages: z.array(CitedPassage) }),
  z.object({
    type: z.literal('replyStarted'),
    turnId: TurnId,
    provider: z.string(),
    model: z.string(),
    /** Why the wished-for provider did not answer, when another stepped in. */
    fallback: z.object({ from: z.string(), code: ErrorCode }).nullable(),
  }),
  /** Text in the making. Deltas of a sentence, joined, are a prefix of that sentence. */
  z.object({ type: z.literal('delta'), turnId: TurnId, index, text: z.string() }),
  /** A finished sentence: the exact text its deltas add up to. */
  z.object({ type: z.literal('sentence'), turnId: TurnId, index, text: z.string().nullable(), citations: z.array(PassageId) }),
  /** After a take-over: unfinished text from `fromIndex` on is generated again and may differ. */
  z.object({ type: z.literal('replyResumed'), turnId: TurnId, fromIndex: index }),
  z.object({ type: z.literal('replyCompleted'), turnId: TurnId, sentences: index, usage: TokenUsage.nullable(), timings: TurnTimings }),
  z.object({
    type: z.literal('replyInterrupted'),
    turnId: TurnId,
    by: z.enum(['student', 'operator', 'timeout']),
    heardText: z.string().nullable(),
  }),
  z.object({ type: z.literal('replyFailed'), turnId: TurnId, code: ErrorCode, retryable: z.boolean() }),
  /** How the tutor reaches the student from now on, and why that changed. */
  z.object({ type: z.literal('quality'), from: Quality, to: Quality, reason: QualityReason }),
  z.object({ type: z.literal('sessionEnded'), reason: SessionEndReason }),
  /** History is through; what follows is live. Carries the id of the item before it. */
  z.object({ type: z.literal('caughtUp') }),
]);
export type FeedItem = z.infer<typeof FeedItem>;

/**
 * Address of a feed item: `revision.delta`. `revision` is the stream's newest event when the item
 * was made (0: before the first), `delta` counts the pieces of the reply in the making within its
 * turn, from 1; durable events are `revision.0`. Ordered by revision, then delta.
 */
export interface FeedCursor {
  readonly revision: number;
  readonly delta: number;
}

const feedIdPattern = /^(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})$/;

export const FeedId = z.string().regex(feedIdPattern, 'a feed id looks like "12.3"');

export function formatFeedId(cursor: FeedCursor): string {
  return `${cursor.revision}.${cursor.delta}`;
}

/** Null for anything that is not a feed id: treat ids from clients as untrusted. */
export function parseFeedId(id: string): FeedCursor | null {
  const match = feedIdPattern.exec(id);
  if (match === null) return null;
  return { revision: Number(match[1]), delta: Number(match[2]) };
}
