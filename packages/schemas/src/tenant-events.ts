import { z } from 'zod';
import type { EventCatalogue, EventOf, NewEventOf } from './event-definition.ts';
import { KeyId, Sha256, StudentId } from './ids.ts';

export const Role = z.enum(['operator', 'teacher', 'auditor']);
export type Role = z.infer<typeof Role>;

export const tenantEvents = {
  TenantCreated: { version: 1, payload: z.strictObject({ name: z.string().min(1).max(120) }) },
  ApiKeyIssued: {
    version: 1,
    payload: z.strictObject({
      keyId: KeyId,
      role: Role,
      label: z.string().max(80),
      /** SHA-256 of a 256-bit random key; the key itself is shown once and kept nowhere. */
      keyHash: Sha256,
    }),
  },
  ApiKeyRevoked: { version: 1, payload: z.strictObject({ keyId: KeyId }) },
  StudentForgotten: { version: 1, payload: z.strictObject({ studentId: StudentId, keyId: KeyId.nullable() }) },
} as const satisfies EventCatalogue;

export type TenantEvent = EventOf<typeof tenantEvents>;
export type NewTenantEvent = NewEventOf<typeof tenantEvents>;
