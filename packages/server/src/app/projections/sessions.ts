import {
  idOf,
  KnowledgeBaseId,
  Locale,
  SessionEndReason,
  SessionId,
  SessionLimits,
  StudentId,
  TenantId,
  TutorId,
} from '@virtual-tutor/schemas';
import { z } from 'zod';
import type { ClearEvent } from '../event-codec.ts';
import type { Projection } from './projection.ts';

export const SessionRow = z.object({
  tenantId: TenantId,
  /** The student. */
  parent: StudentId,
  status: z.enum(['active', 'ended']),
  sort: z.number(),
  id: SessionId,
  tutorId: TutorId,
  knowledgeBaseId: KnowledgeBaseId.nullable(),
  locale: Locale,
  mode: z.enum(['session', 'user']),
  limits: SessionLimits,
  endReason: SessionEndReason.nullable(),
  turns: z.number().int(),
  node: z.string().nullable(),
  createdAt: z.string(),
  lastMessageAt: z.string(),
  endedAt: z.string().nullable(),
});
export type SessionRow = z.infer<typeof SessionRow>;

function created(event: Extract<ClearEvent, { type: 'SessionCreated' }>): SessionRow {
  const { tutorId, studentId, knowledgeBaseId, locale, mode, limits } = event.payload;
  const { meta, position, stream } = event.stored;
  return {
    tenantId: meta.tenantId,
    parent: studentId,
    status: 'active',
    sort: position,
    id: SessionId.parse(idOf(stream)),
    tutorId,
    knowledgeBaseId,
    locale,
    mode,
    limits,
    endReason: null,
    turns: 0,
    node: null,
    createdAt: meta.occurredAt,
    lastMessageAt: meta.occurredAt,
    endedAt: null,
  };
}

export const sessionsProjection: Projection<SessionRow> = {
  name: 'sessions',
  version: 1,
  reads: 'session',
  parse: (row) => SessionRow.parse(row),
  keyOf: ({ stored }) => stored.stream,
  evolve(row, event) {
    if (event.type === 'SessionCreated') return created(event);
    if (row === null) return null;
    const at = event.stored.meta.occurredAt;
    switch (event.type) {
      case 'SessionHosted':
        return { ...row, node: event.payload.node };
      case 'MessageReceived':
        return { ...row, turns: row.turns + 1, lastMessageAt: at };
      case 'SessionEnded':
        return { ...row, status: 'ended', endReason: event.payload.reason, endedAt: at };
      default:
        return row;
    }
  },
};
