import { z } from 'zod';
import { EventId, StreamName, TenantId } from './ids.ts';

export const Actor = z.strictObject({
  kind: z.enum(['student', 'teacher', 'operator', 'auditor', 'system']),
  id: z.string().min(1).max(80),
});
export type Actor = z.infer<typeof Actor>;

/** Who, why and when: hashed with the payload, never sealed, so it holds nothing personal. */
export const EventMeta = z.strictObject({
  tenantId: TenantId,
  actor: Actor,
  /** Id of the command or event that caused this one. */
  causationId: z.uuid(),
  /** The turn, or the command where there is none. */
  correlationId: z.uuid(),
  /** Engine clock, ISO 8601 with ms. */
  occurredAt: z.iso.datetime(),
});
export type EventMeta = z.infer<typeof EventMeta>;

/** An event as auditors see it. `personal` is absent for types without personal fields and null when its key was destroyed. */
export const AuditedEvent = z.object({
  id: EventId,
  type: z.string(),
  schemaVersion: z.number().int().positive(),
  stream: StreamName,
  revision: z.number().int().positive(),
  position: z.number().int().positive(),
  occurredAt: z.iso.datetime(),
  /** Database clock: informational, never used for order. */
  recordedAt: z.iso.datetime(),
  tenantId: TenantId,
  actor: Actor,
  causationId: z.uuid(),
  correlationId: z.uuid(),
  payload: z.record(z.string(), z.unknown()),
  personal: z.record(z.string(), z.unknown()).nullable().optional(),
  /** Hex SHA-256 over canonical JSON of type, schemaVersion, payload, meta and the sealed bytes' hash. */
  contentHash: z.string(),
  /** Hex SHA-256 that chains this event to the one before it in its stream. */
  hash: z.string(),
});
export type AuditedEvent = z.infer<typeof AuditedEvent>;
