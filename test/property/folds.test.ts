import { SessionId, type SessionState, StudentId, streams, TenantId, TurnId, TutorId } from '@virtual-tutor/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sessions } from '../../packages/server/src/app/aggregates.ts';
import { createEventCodec } from '../../packages/server/src/app/event-codec.ts';
import { Handle } from '../../packages/server/src/app/handle.ts';
import { systemIds } from '../../packages/server/src/app/ids.ts';
import { openTurn, type SessionCommand } from '../../packages/server/src/domain/session.ts';
import { MemoryEventStore } from '../../packages/server/src/store/memory-event-store.ts';
import { often } from '../support/long.ts';
import { plainVault } from '../support/plain-vault.ts';

const tenantId = TenantId.parse('school');
const stream = streams.session(SessionId.parse('01900000-0000-7000-8000-000000000001'));
const context = { tenantId, actor: { kind: 'system', id: 'test' } } as const;
const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const cut = { partial: 'and so', heardMs: null };

const create: SessionCommand = {
  type: 'CreateSession',
  node: 'node-0',
  tutorId: TutorId.parse('ada'),
  tutorRevision: 1,
  studentId: StudentId.parse('kim'),
  knowledgeBaseId: null,
  locale: 'en',
  limits: { maxDurationMs: 3_600_000, idleMs: 600_000 },
  mode: 'session',
};

const deeds = ['ask', 'start', 'say', 'hear', 'complete', 'fail', 'interrupt', 'host', 'quality'] as const;

/** What somebody who has seen this state may want next. */
function wanted(deed: (typeof deeds)[number], state: SessionState): SessionCommand {
  if (state.status === 'absent') return create;
  const turn = openTurn(state);
  const asked = state.turns.length;
  const at = { epoch: state.status === 'active' ? (state.host?.epoch ?? 0) : 0, turnId: turn?.turnId ?? TurnId.parse(uuid(0)) };
  const sentences = turn?.sentences ?? [];
  switch (deed) {
    case 'ask': {
      const message = { turnId: TurnId.parse(uuid(asked + 1)), clientMessageId: uuid(asked + 1_000), text: `question ${asked}` };
      return { type: 'ReceiveMessage', ...message, modality: 'text', language: 'en', asr: null, ...cut };
    }
    case 'start': {
      const model = { provider: 'extractive', model: 'quotes-1', promptHash: 'a'.repeat(64), temperature: 0.7 };
      return { ...at, type: 'StartReply', ...model, tutorRevision: 1, fallback: null };
    }
    case 'say':
      return { ...at, type: 'RecordSentence', index: sentences.length, text: `sentence ${sentences.length}. `, citations: [] };
    case 'hear':
      return { ...at, type: 'RecordHeard', index: sentences.filter(({ heard }) => heard).length, playout: { medium: 'text' } };
    case 'complete': {
      const timings = { asrMs: null, retrieveMs: 1, firstTokenMs: 2, firstAudioMs: null, firstFrameMs: null, totalMs: 3 };
      return { ...at, type: 'CompleteReply', usage: null, timings };
    }
    case 'fail':
      return { ...at, type: 'FailReply', code: 'unavailable', retryable: true };
    case 'interrupt':
      return { type: 'InterruptReply', turnId: null, by: 'student', ...cut };
    case 'host':
      return { type: 'HostSession', node: `node-${asked}` };
    case 'quality':
      return { type: 'ChangeQuality', to: state.status === 'active' && state.quality === 'text' ? 'voice' : 'text', reason: 'connected' };
  }
}

// The only snapshots there are: states that a node keeps in memory. They die with it, so none is older than its fold.
test('a state that a node has kept, and the events since, make what the whole fold makes, at every revision (invariant 37)', async () => {
  const step = fc.record({ node: fc.nat({ max: 1 }), deed: fc.constantFrom(...deeds), atOnce: fc.boolean() });
  let longest = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), async (steps) => {
      const store = new MemoryEventStore();
      const codec = createEventCodec(plainVault);
      const node = () => new Handle({ store, codec, clock: { now: () => 0 }, ids: systemIds });
      const nodes = [node(), node()] as const;
      const kept: { readonly state: SessionState; readonly revision: number }[] = [];
      const take = async ({ node, deed }: (typeof steps)[number]) => {
        const handled = await nodes[node === 0 ? 0 : 1].handle({
          aggregate: sessions,
          stream,
          commands: (state) => [wanted(deed, state)],
          context,
        });
        if (handled.status === 'done') kept.push(handled);
      };
      for (let i = 0; i < steps.length; i += 1) {
        const [one, other] = steps.slice(i, i + 2);
        if (one !== undefined)
          await Promise.all([take(one), ...(one.atOnce && other !== undefined ? [take({ ...other, node: 1 - one.node })] : [])]);
      }
      const whole = await node().load(sessions, stream, { tenantId });
      longest = Math.max(longest, whole.revision);
      for (const one of nodes) expect(await one.load(sessions, stream, { tenantId })).toEqual(whole);
      for (const { state, revision } of kept) {
        expect(state).toEqual((await node().load(sessions, stream, { tenantId, revision })).state);
      }
    }),
    { numRuns: often({ few: 100, long: 2_000 }) },
  );
  expect(longest).toBeGreaterThan(20);
});
