import { z } from 'zod';
import { ErrorCode } from './errors.ts';
import { KeyId, KnowledgeBaseId, Locale, PassageId, StudentId, TurnId, TutorId } from './ids.ts';
import { SessionEndReason, SessionLimits } from './session-events.ts';
import { Quality } from './session-signals.ts';

/**
 * The fold of a session's stream. The domain decides on it, the transcript and the model's history
 * are read off it, and auditors see it at any revision.
 */
export const Sentence = z.object({
  index: z.number().int().nonnegative(),
  /** Null once the student was forgotten, or the words have expired. */
  text: z.string().nullable(),
  citations: z.array(PassageId),
  heard: z.boolean(),
});
export type Sentence = z.infer<typeof Sentence>;

const turnBase = {
  turnId: TurnId,
  clientMessageId: z.string(),
  language: Locale,
  /** Null once the student was forgotten, or the words have expired. */
  message: z.string().nullable(),
  sentences: z.array(Sentence),
};

export const Turn = z.discriminatedUnion('status', [
  z.object({ ...turnBase, status: z.literal('waiting'), resumes: z.number().int().nonnegative() }),
  z.object({
    ...turnBase,
    status: z.literal('replying'),
    provider: z.string(),
    model: z.string(),
    resumes: z.number().int().nonnegative(),
  }),
  z.object({ ...turnBase, status: z.literal('completed') }),
  z.object({
    ...turnBase,
    status: z.literal('interrupted'),
    by: z.enum(['student', 'operator', 'timeout']),
    heardText: z.string().nullable(),
  }),
  z.object({ ...turnBase, status: z.literal('failed'), code: ErrorCode }),
]);
export type Turn = z.infer<typeof Turn>;

const lessonBase = {
  tutorId: TutorId,
  studentId: StudentId,
  knowledgeBaseId: KnowledgeBaseId.nullable(),
  locale: Locale,
  limits: SessionLimits,
  mode: z.enum(['session', 'user']),
  turns: z.array(Turn),
};

export const SessionState = z.discriminatedUnion('status', [
  z.object({ status: z.literal('absent') }),
  z.object({
    ...lessonBase,
    status: z.literal('active'),
    /** Null until a node hosts the live part. */
    host: z.object({ node: z.string(), epoch: z.number().int().positive() }).nullable(),
    quality: Quality,
    links: z.array(z.object({ linkId: KeyId, codeHash: z.string(), expiresAt: z.string(), redeemed: z.boolean() })),
  }),
  z.object({ ...lessonBase, status: z.literal('ended'), reason: SessionEndReason, wordsExpired: z.boolean() }),
]);
export type SessionState = z.infer<typeof SessionState>;
