import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import {
  AvatarId,
  CommandId,
  catalogue,
  categoryOf,
  EventId,
  KnowledgeBaseId,
  SessionId,
  type StreamCategory,
  type StreamName,
  streams,
  TenantId,
  TutorId,
} from '@virtual-tutor/schemas';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { avatars, knowledgeBases, sessions, tenants, tutors } from '../../packages/server/src/app/aggregates.ts';
import { createEventCodec, type DomainEvent } from '../../packages/server/src/app/event-codec.ts';
import { MemoryEventStore } from '../../packages/server/src/store/memory-event-store.ts';
import { plainVault } from '../support/plain-vault.ts';

/*
 * Logs as every version of the engine so far wrote them, each with the state that it folds to. None of these files
 * ever changes: somebody's log holds exactly this. `SHA256SUMS` has a line for each.
 */

const golden = new URL('../golden/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, golden), 'utf8');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const json = z.record(z.string(), z.unknown());

const Written = z.array(
  z.strictObject({
    type: z.string(),
    /** Of its schema; not there: the one in the file's name, as in the first of these logs. */
    version: z.number().int().optional(),
    payload: json,
    personal: json.optional(),
  }),
);

const tenantId = TenantId.parse('default');
const id = '01900000-0000-7000-8000-000000000001';
const streamOf: Readonly<Record<string, StreamName>> = {
  lesson: streams.session(SessionId.parse(id)),
  avatar: streams.avatar(AvatarId.parse(id)),
  tutor: streams.tutor(tenantId, TutorId.parse('ada')),
  knowledge: streams.knowledge(tenantId, KnowledgeBaseId.parse('light-water-sky-en')),
  tenant: streams.tenant(tenantId),
};

const logs = readdirSync(golden).filter((file) => file.endsWith('.json'));

function written(file: string) {
  const ofAll = Number(/-v(\d+)\.json$/.exec(file)?.[1]);
  return Written.parse(JSON.parse(read(file))).map((event) => ({ ...event, version: event.version ?? ofAll }));
}

function streamFor(file: string): StreamName {
  const stream = streamOf[file.split(/[-.]/)[0] ?? ''];
  if (stream === undefined) throw new Error(`${file} begins like no kind of stream`);
  return stream;
}

const codec = createEventCodec(plainVault);

async function openedLog(file: string): Promise<readonly DomainEvent[]> {
  const store = new MemoryEventStore();
  const stream = streamFor(file);
  const meta = {
    tenantId,
    actor: { kind: 'system', id: 'node-1' },
    causationId: id,
    correlationId: id,
    occurredAt: '2026-01-01T00:00:00.000Z',
  } as const;
  const events = written(file).map(({ type, version, payload, personal }, nth) => ({
    id: EventId.parse(`00000000-0000-4000-8000-${String(nth).padStart(12, '0')}`),
    type,
    schemaVersion: version,
    payload,
    sealed: personal === undefined ? null : new TextEncoder().encode(JSON.stringify(personal)),
    keyId: personal === undefined ? null : 'key',
    meta,
  }));
  await store.append({ commandId: CommandId.parse(id), stream, expected: 'none', events, fingerprint: sha256(file) });
  const stored = await store.readStream(stream, { after: 0, limit: 1000 });
  return Promise.all(stored.map((event) => codec.open(event)));
}

const folds: { readonly [C in StreamCategory]: (events: readonly DomainEvent[]) => unknown } = {
  session: (events) => events.map(sessions.eventOf).reduce(sessions.evolve, sessions.initial),
  avatar: (events) => events.map(avatars.eventOf).reduce(avatars.evolve, avatars.initial),
  tutor: (events) => events.map(tutors.eventOf).reduce(tutors.evolve, tutors.initial),
  knowledge: (events) => events.map(knowledgeBases.eventOf).reduce(knowledgeBases.evolve, knowledgeBases.initial),
  tenant: (events) => events.map(tenants.eventOf).reduce(tenants.evolve, tenants.initial),
};

/** Maps and sets as what is in them. */
function plain(state: unknown): unknown {
  return JSON.parse(
    JSON.stringify(state, (_, value: unknown) => (value instanceof Map || value instanceof Set ? Array.from<unknown>(value) : value)),
  );
}

describe('golden logs', () => {
  // A state may get new fields: what is in the file must be in it as it was.
  test.each(logs)('%s folds to the state it had (invariant 33)', async (file) => {
    const state = folds[categoryOf(streamFor(file))](await openedLog(file));
    expect(plain(state)).toMatchObject(json.parse(JSON.parse(read(`states/${file}`))));
  });

  const everWritten = Object.values(catalogue).flatMap((events) =>
    Object.entries(events).flatMap(([type, { version }]) => Array.from({ length: version }, (_, before) => `${type} v${before + 1}`)),
  );

  test('hold every event type in every version that it ever had (invariant 33)', () => {
    const held = new Set(logs.flatMap((file) => written(file).map(({ type, version }) => `${type} v${version}`)));
    expect(everWritten.filter((one) => !held.has(one))).toEqual([]);
  });

  test('are never changed, only added to', () => {
    const sums = [...logs, ...logs.map((file) => `states/${file}`)].map((file) => `${sha256(read(file))}  ${file}`);
    expect(read('SHA256SUMS').trimEnd().split('\n').toSorted()).toEqual(sums.toSorted());
  });
});
