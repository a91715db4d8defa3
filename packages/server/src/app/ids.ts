import { createHash } from 'node:crypto';
import { AvatarId, CommandId, DocumentId, EventId, KeyId, SessionId, type TenantId, TurnId } from '@virtual-tutor/schemas';
import { v5, v7 } from 'uuid';
import type { Ids } from './ports.ts';

/** Namespace of every id derived here (RFC 9562 section 5.5). Never change it: retries would become new events. */
const namespace = '6f1d1a52-6d6b-4c8e-9a55-0f3f6f1c7a10';

export const systemIds: Ids = { next: () => v7() };

/** The same parts make the same id, on any node, any day. */
function derive(...parts: readonly string[]): string {
  return v5(JSON.stringify(parts), namespace);
}

export function commandIdOf(...parts: readonly string[]): CommandId {
  return CommandId.parse(derive('command', ...parts));
}

export function eventIdOf(commandId: CommandId, index: number): EventId {
  return EventId.parse(derive('event', commandId, String(index)));
}

export function turnIdOf(sessionId: SessionId, clientMessageId: string): TurnId {
  return TurnId.parse(derive('turn', sessionId, clientMessageId));
}

export function documentIdOf(tenantId: TenantId, key: string): DocumentId {
  return DocumentId.parse(derive('document', tenantId, key));
}

export function keyIdOf(tenantId: TenantId, purpose: string, key: string): KeyId {
  return KeyId.parse(derive(purpose, tenantId, key));
}

export function sessionIdOf(tenantId: TenantId, idempotencyKey: string): SessionId {
  return SessionId.parse(timedId(tenantId, idempotencyKey));
}

export function avatarIdOf(tenantId: TenantId, idempotencyKey: string): AvatarId {
  return AvatarId.parse(timedId(tenantId, idempotencyKey));
}

/**
 * An id from its creator's idempotency key: the key's time, and random bits that depend on the tenant, so that nobody can aim at
 * another tenant's.
 */
function timedId(tenantId: TenantId, idempotencyKey: string): string {
  const random = createHash('sha256').update(`${tenantId}|${idempotencyKey}`).digest().subarray(0, 16);
  const msecs = Number.parseInt(idempotencyKey.replaceAll('-', '').slice(0, 12), 16);
  return v7({ msecs, seq: random.readUInt32BE(0), random });
}
