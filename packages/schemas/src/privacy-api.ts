import { z } from 'zod';
import { at, idempotencyKey, paged } from './api-parts.ts';
import { Actor, AuditedEvent } from './event-envelope.ts';
import { Locale, SessionId, StudentId, TutorId } from './ids.ts';
import { WordsDays } from './tenant-events.ts';

/** All there is about one student, piece by piece: first who she is to this school, then lesson by lesson, newest first, each with its events. */
export const ExportItem = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('student'),
    studentId: StudentId,
    exportedAt: at,
    /** Her words are gone: they are null below. */
    forgotten: z.boolean(),
    wordsDays: WordsDays.nullable(),
  }),
  z.object({
    type: z.literal('session'),
    sessionId: SessionId,
    locale: Locale,
    createdAt: at,
    /** Who taught, as configured when the lesson began, and by whom that was. */
    tutor: z.object({ id: TutorId, revision: z.number().int().positive(), name: z.string(), configuredBy: Actor, configuredAt: at }),
  }),
  /** In a lesson, or in the school's own stream: its rule for keeping words, and what was done with her data. */
  z.object({ type: z.literal('event'), event: AuditedEvent }),
]);
export type ExportItem = z.infer<typeof ExportItem>;

const Retention = z.object({ wordsDays: WordsDays.nullable() });

export const privacy = {
  forgetStudent: {
    input: z.object({ studentId: StudentId, idempotencyKey }),
    output: z.object({
      studentId: StudentId,
      endedSessions: z.number().int(),
      /** Of her keys in the database's files. `pending`: its write-ahead log still has some, until its own checkpoints. */
      traces: z.enum(['cleared', 'pending']),
    }),
  },
  /** A mutation: the log says who was given a student's data. */
  exportStudent: {
    input: z.object({
      studentId: StudentId,
      cursor: z
        .string()
        .regex(/^(school|lesson)(\.\d{1,15}){1,2}$/, 'use the nextCursor of the page before')
        .optional(),
      limit: z.number().int().min(1).max(500).default(200),
      idempotencyKey,
    }),
    output: paged(ExportItem),
  },
  retention: { output: Retention },
  configureRetention: { input: Retention.extend({ idempotencyKey }), output: Retention },
};
