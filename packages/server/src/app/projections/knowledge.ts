import { DocumentId, DocumentMime, DocumentRejection, idOf, KnowledgeBaseId, TenantId } from '@virtual-tutor/schemas';
import { z } from 'zod';
import type { Projection } from './projection.ts';

export const KnowledgeBaseRow = z.object({
  tenantId: TenantId,
  /** The tenant. */
  parent: z.string(),
  status: z.literal('active'),
  sort: z.number(),
  id: KnowledgeBaseId,
  name: z.string(),
  revision: z.number().int(),
  documents: z.number().int(),
});
export type KnowledgeBaseRow = z.infer<typeof KnowledgeBaseRow>;

export const knowledgeBasesProjection: Projection<KnowledgeBaseRow> = {
  name: 'knowledgeBases',
  version: 1,
  reads: 'knowledge',
  parse: (row) => KnowledgeBaseRow.parse(row),
  keyOf: ({ stored }) => stored.stream,
  evolve(row, event) {
    const { stream, revision, position, meta } = event.stored;
    if (event.type === 'KnowledgeBaseCreated') {
      const { tenantId } = meta;
      const id = KnowledgeBaseId.parse(idOf(stream));
      return { tenantId, parent: tenantId, status: 'active', sort: position, id, name: event.payload.name, revision, documents: 0 };
    }
    if (row === null) return null;
    const change = event.type === 'DocumentAdded' ? 1 : event.type === 'DocumentRemoved' ? -1 : 0;
    return { ...row, revision, documents: row.documents + change };
  },
};

export const DocumentRow = z.object({
  tenantId: TenantId,
  /** The knowledge base's stream. */
  parent: z.string(),
  status: z.enum(['adding', 'indexed', 'rejected']),
  sort: z.number(),
  id: DocumentId,
  title: z.string(),
  mime: DocumentMime,
  bytes: z.number().int(),
  sha256: z.string(),
  passages: z.number().int(),
  rejection: DocumentRejection.nullable(),
});
export type DocumentRow = z.infer<typeof DocumentRow>;

export const documentsProjection: Projection<DocumentRow> = {
  name: 'documents',
  version: 1,
  reads: 'knowledge',
  parse: (row) => DocumentRow.parse(row),
  keyOf: (event) => ('documentId' in event.payload ? `${event.stored.stream}/${event.payload.documentId}` : null),
  evolve(row, event) {
    switch (event.type) {
      case 'DocumentAdded': {
        const { documentId, title, mime, bytes, sha256 } = event.payload;
        const { stream, position, meta } = event.stored;
        const placing = { tenantId: meta.tenantId, parent: stream, status: 'adding', sort: position } as const;
        return { ...placing, id: documentId, title, mime, bytes, sha256, passages: 0, rejection: null };
      }
      case 'DocumentIndexed':
        return row === null ? null : { ...row, status: 'indexed', passages: event.payload.passages };
      case 'DocumentRejected':
        return row === null ? null : { ...row, status: 'rejected', rejection: event.payload.code };
      case 'DocumentRemoved':
        return null;
      default:
        return row;
    }
  },
};
