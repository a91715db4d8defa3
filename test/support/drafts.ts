import { createHash, randomUUID } from 'node:crypto';
import { CommandId, EventId, StreamName, TenantId } from '@virtual-tutor/schemas';
import type { AppendRequest, EventStore, ExpectedRevision, StoredEvent, StoredEventDraft } from '../../packages/server/src/app/ports.ts';

const tenantId = TenantId.parse('default');

export function stream(name: string): StreamName {
  return StreamName.parse(`session-${name}`);
}

export function draft(payload: Readonly<Record<string, unknown>> = {}, over: Partial<StoredEventDraft> = {}): StoredEventDraft {
  const id = randomUUID();
  return {
    id: EventId.parse(id),
    type: 'Tested',
    schemaVersion: 1,
    payload,
    sealed: null,
    keyId: null,
    meta: { tenantId, actor: { kind: 'system', id: 'test' }, causationId: id, correlationId: id, occurredAt: '2026-01-01T00:00:00.000Z' },
    ...over,
  };
}

export function command(name: string, expected: ExpectedRevision, events: readonly StoredEventDraft[] = [draft()]): AppendRequest {
  const fingerprint = createHash('sha256')
    .update(JSON.stringify(events.map(({ payload }) => payload)))
    .digest('hex');
  return { commandId: CommandId.parse(randomUUID()), stream: stream(name), expected, events, fingerprint };
}

/** The whole log, in pages of `limit`. */
export async function readAll(store: EventStore, limit = 500): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await store.readAll({ after: events.length, limit });
    events.push(...page);
    if (page.length < limit) return events;
  }
}
