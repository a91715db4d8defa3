import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  CommandId,
  catalogue,
  type EventCatalogue,
  EventId,
  SessionId,
  type StreamName,
  streams,
  TenantId,
  TutorId,
  upcast,
} from '@virtual-tutor/schemas';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { sessions, tutors } from '../../packages/server/src/app/aggregates.ts';
import { createEventCodec, decodeClear } from '../../packages/server/src/app/event-codec.ts';
import { Folds } from '../../packages/server/src/app/folds.ts';
import { MemoryEventStore } from '../../packages/server/src/store/memory-event-store.ts';
import { plainVault } from '../support/plain-vault.ts';

/** Events as older versions of the engine wrote them. These files never change: logs of that time hold exactly this. */
const Written = z.array(
  z.strictObject({ type: z.string(), payload: z.record(z.string(), z.unknown()), personal: z.record(z.string(), z.unknown()).optional() }),
);
const written = (file: string) => Written.parse(JSON.parse(readFileSync(new URL(`../golden/${file}`, import.meta.url), 'utf8')));

const tenantId = TenantId.parse('default');
const lesson = streams.session(SessionId.parse('01900000-0000-7000-8000-000000000001'));
const ada = streams.tutor(tenantId, TutorId.parse('ada'));

const codec = createEventCodec(plainVault);

async function oldLog(stream: StreamName, file: string) {
  const schemaVersion = Number(/-v(\d+)\.json$/.exec(file)?.[1]);
  const store = new MemoryEventStore();
  const events = written(file).map(
    ({ type, payload, personal }, nth) =>
      ({
        id: EventId.parse(`00000000-0000-4000-8000-${String(nth).padStart(12, '0')}`),
        type,
        schemaVersion,
        payload,
        sealed: personal === undefined ? null : new TextEncoder().encode(JSON.stringify(personal)),
        keyId: personal === undefined ? null : 'key',
        meta: {
          tenantId,
          actor: { kind: 'system', id: 'node-1' },
          causationId: 'c',
          correlationId: 'c',
          occurredAt: '2026-01-01T00:00:00.000Z',
        },
      }) as const,
  );
  const commandId = CommandId.parse('00000000-0000-4000-8000-00000000000d');
  const fingerprint = createHash('sha256').update(file).digest('hex');
  await store.append({ commandId, stream, expected: 'none', events, fingerprint });
  return { store, events: await store.readStream(stream, { after: 0, limit: 100 }) };
}

describe('a log of version 1', () => {
  test('is read as today, with what was not known then as not there', async () => {
    const { events } = await oldLog(lesson, 'lesson-v1.json');
    const opened = await Promise.all(events.map((stored) => codec.open(stored)));
    const payloadsOf = (type: string) => opened.filter((event) => event.type === type).map((event) => event.payload);
    expect(payloadsOf('MessageReceived')).toMatchObject([
      { modality: 'text', language: 'en', asr: null },
      { modality: 'text', language: 'zh', asr: null },
    ]);
    expect(payloadsOf('ReplyCompleted')).toMatchObject([
      { timings: { asrMs: null, retrieveMs: 4, firstTokenMs: 212.5, firstAudioMs: null, firstFrameMs: null, totalMs: 1820 } },
    ]);
    expect(payloadsOf('ReplyInterrupted')).toMatchObject([{ by: 'student', heardMs: null }]);
    expect(opened.find((event) => event.type === 'ReplyInterrupted')).toMatchObject({ personal: { heardText: '因为' } });
  });

  test('replays to the lesson that it was', async () => {
    const { store } = await oldLog(lesson, 'lesson-v1.json');
    const { state } = await new Folds(store, codec).load(sessions, lesson);
    expect(state).toMatchObject({
      status: 'ended',
      reason: 'student',
      turns: [
        { status: 'completed', message: 'Why is the sky blue?', sentences: [{ text: 'Air scatters blue light. ', heard: true }] },
        { status: 'interrupted', message: '为什么？', heardText: '因为' },
      ],
    });
  });

  test('knows its tutors, whose voice and face their language decides', async () => {
    const { store, events } = await oldLog(ada, 'tutor-v1.json');
    expect(events.map((stored) => decodeClear(stored).payload)).toMatchObject([
      { before: null, after: { voice: null, face: null, avatarId: null } },
      {
        before: { voice: null, face: null, avatarId: null },
        after: { systemPrompt: 'Be kind and brief.', voice: null, face: null, avatarId: null },
      },
    ]);
    const { state } = await new Folds(store, codec).load(tutors, ada);
    expect(state).toMatchObject({ status: 'active', settings: { llmModel: 'llama3.2', voice: null, face: null, avatarId: null } });
  });

  test('is not rewritten by being read', async () => {
    const { events } = await oldLog(lesson, 'lesson-v1.json');
    const before = structuredClone(events);
    for (const stored of events) await codec.open(stored);
    expect(events).toEqual(before);
  });

  test('that a newer engine wrote is refused, event by event (invariant 33)', async () => {
    const { events } = await oldLog(lesson, 'lesson-v1.json');
    const newer = events.map((stored) => ({ ...stored, schemaVersion: 99 }));
    for (const stored of newer) expect(() => decodeClear(stored)).toThrow('upgrade the engine');
  });
});

describe('the catalogue', () => {
  const categories: [string, EventCatalogue][] = Object.entries(catalogue);
  const definitions = categories.flatMap(([, events]) => Object.entries(events));

  test.each(definitions)('%s has a way up from every version before the newest', (_, { version, upcasts }) => {
    const earlier = Array.from({ length: version - 1 }, (_unused, nth) => String(nth + 1));
    expect(Object.keys(upcasts ?? {})).toEqual(earlier);
  });

  test('an upcast leaves its input alone and is the same on every day', () => {
    for (const { type, payload } of [...written('lesson-v1.json'), ...written('tutor-v1.json')]) {
      const definition = definitions.find(([name]) => name === type)?.[1];
      if (definition === undefined) throw new Error(`${type} is not in the catalogue`);
      const frozen = Object.freeze(structuredClone(payload));
      expect(upcast(definition, 1, frozen)).toEqual(upcast(definition, 1, frozen));
      expect(frozen).toEqual(payload);
    }
  });
});

test('a tutor of version 2 had a drawn face, and keeps it', async () => {
  const { store } = await oldLog(ada, 'tutor-v2.json');
  const { state } = await new Folds(store, codec).load(tutors, ada);
  expect(state).toMatchObject({ status: 'active', settings: { llmModel: 'llama3.2', voice: 'slt', face: 'xiaolan', avatarId: null } });
});
