import { z } from 'zod';
import type { EventCatalogue, EventOf, NewEventOf } from './event-definition.ts';
import { KeyId, Sha256, StudentId } from './ids.ts';

export const Role = z.enum(['operator', 'teacher', 'auditor']);
export type Role = z.infer<typeof Role>;

/** Days for which the words of a lesson are kept after it ended; null, where it may be: until the student is forgotten. */
export const WordsDays = z.number().int().min(1).max(36_500);

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
  /** From now on; lessons that ended before count too. */
  RetentionConfigured: { version: 1, payload: z.strictObject({ before: WordsDays.nullable(), after: WordsDays.nullable() }) },
  /** Somebody was given all that there is about her. */
  StudentExported: { version: 1, payload: z.strictObject({ studentId: StudentId }) },
  StudentForgotten: {
    version: 2,
    payload: z.strictObject({ studentId: StudentId }),
    // Her only key, until each lesson had one of its own.
    upcasts: { 1: ({ keyId: _, ...payload }) => payload },
  },
} as const satisfies EventCatalogue;

export type TenantEvent = EventOf<typeof tenantEvents>;
export type NewTenantEvent = NewEventOf<typeof tenantEvents>;
