import { idOf, KeyId, Role, TenantId } from '@virtual-tutor/schemas';
import { z } from 'zod';
import type { Projection } from './projection.ts';

export const ApiKeyRow = z.object({
  tenantId: TenantId,
  /** The key's hash. */
  parent: z.string(),
  status: z.enum(['active', 'revoked']),
  sort: z.number(),
  keyId: KeyId,
  role: Role,
  label: z.string(),
  issuedAt: z.string(),
  revokedAt: z.string().nullable(),
});
export type ApiKeyRow = z.infer<typeof ApiKeyRow>;

export const apiKeysProjection: Projection<ApiKeyRow> = {
  name: 'apiKeys',
  version: 1,
  reads: 'tenant',
  parse: (row) => ApiKeyRow.parse(row),
  keyOf: (event) =>
    event.type === 'ApiKeyIssued' || event.type === 'ApiKeyRevoked' ? `${idOf(event.stored.stream)}/${event.payload.keyId}` : null,
  evolve(row, event) {
    const { meta, position } = event.stored;
    switch (event.type) {
      case 'ApiKeyIssued': {
        const { keyId, role, label, keyHash } = event.payload;
        const placing = { tenantId: meta.tenantId, parent: keyHash, status: 'active', sort: position } as const;
        return { ...placing, keyId, role, label, issuedAt: meta.occurredAt, revokedAt: null };
      }
      case 'ApiKeyRevoked':
        return row === null ? null : { ...row, status: 'revoked', revokedAt: meta.occurredAt };
      default:
        return row;
    }
  },
};
