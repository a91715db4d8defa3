import { idOf, SessionId, StudentId } from '@virtual-tutor/schemas';
import { z } from 'zod';
import type { Projection } from './projection.ts';

/** A lesson whose words can be read; gone once they have expired. */
export const KeptWordsRow = z.object({
  tenantId: z.string(),
  /** The student. */
  parent: StudentId,
  status: z.enum(['active', 'ended']),
  /** Of an ended one, epoch ms of its end, however the clock went: lists are in the order in which words expire. */
  sort: z.number(),
  sessionId: SessionId,
  endedAt: z.string().nullable(),
});
export type KeptWordsRow = z.infer<typeof KeptWordsRow>;

export const keptWordsProjection: Projection<KeptWordsRow> = {
  name: 'keptWords',
  version: 1,
  reads: 'session',
  parse: (row) => KeptWordsRow.parse(row),
  keyOf: ({ stored }) => stored.stream,
  evolve(row, event) {
    const { meta, position, stream } = event.stored;
    if (event.type === 'SessionCreated') {
      const [tenantId, sessionId] = [meta.tenantId, SessionId.parse(idOf(stream))];
      return { tenantId, parent: event.payload.studentId, status: 'active', sort: position, sessionId, endedAt: null };
    }
    if (row === null) return null;
    switch (event.type) {
      case 'SessionEnded':
        return { ...row, status: 'ended', sort: Date.parse(meta.occurredAt), endedAt: meta.occurredAt };
      case 'SessionWordsExpired':
        return null;
      default:
        return row;
    }
  },
};
