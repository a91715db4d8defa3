import { z } from 'zod';
import type { EventCatalogue, EventOf, NewEventOf } from './event-definition.ts';
import { DocumentId, Sha256 } from './ids.ts';

export const DocumentMime = z.enum(['text/plain', 'text/markdown']);
export type DocumentMime = z.infer<typeof DocumentMime>;

export const DocumentRejection = z.enum(['empty', 'not_utf8', 'no_passages']);
export type DocumentRejection = z.infer<typeof DocumentRejection>;

export const knowledgeEvents = {
  KnowledgeBaseCreated: { version: 1, payload: z.strictObject({ name: z.string().min(1).max(120) }) },
  DocumentAdded: {
    version: 1,
    payload: z.strictObject({
      documentId: DocumentId,
      title: z.string().min(1).max(200),
      mime: DocumentMime,
      bytes: z.number().int().nonnegative(),
      /** Names the blob that holds the text. */
      sha256: Sha256,
    }),
  },
  DocumentIndexed: {
    version: 1,
    payload: z.strictObject({
      documentId: DocumentId,
      passages: z.number().int().positive(),
      /** Which splitter and index made the passages, so that an auditor can repeat it. */
      embedder: z.string(),
    }),
  },
  DocumentRejected: { version: 1, payload: z.strictObject({ documentId: DocumentId, code: DocumentRejection }) },
  DocumentRemoved: { version: 1, payload: z.strictObject({ documentId: DocumentId }) },
} as const satisfies EventCatalogue;

export type KnowledgeEvent = EventOf<typeof knowledgeEvents>;
export type NewKnowledgeEvent = NewEventOf<typeof knowledgeEvents>;
