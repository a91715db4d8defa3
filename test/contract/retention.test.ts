import { type SessionId, StudentId, streams, TenantId, TurnId } from '@virtual-tutor/schemas';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { sessions } from '../../packages/server/src/app/aggregates.ts';
import { verifyChain } from '../../packages/server/src/app/chain.ts';
import { commandIdOf, eventIdOf } from '../../packages/server/src/app/ids.ts';
import { dayMs, openPrivacySchool, operator, type PrivacySchool, SetClock } from '../support/privacy-school.ts';
import { databaseKinds, describeOn, type OpenDatabaseStore, openDatabaseStore } from '../support/stores.ts';

const kim = StudentId.parse('kim');
const lee = StudentId.parse('lee');

for (const kind of databaseKinds) {
  describeOn(kind)(`words that are kept for some days, on ${kind}`, () => {
    let open: OpenDatabaseStore;
    let school: PrivacySchool;
    let schools = 0;
    let tenantId: TenantId;
    const clock = new SetClock();
    const started = clock.now();
    beforeAll(async () => {
      open = await openDatabaseStore(kind);
      school = await openPrivacySchool({ database: open.database, clock });
    });
    afterAll(async () => {
      await school[Symbol.asyncDispose]();
      await open[Symbol.asyncDispose]();
    });
    beforeEach(async () => {
      clock.nowMs = started;
      schools += 1;
      tenantId = TenantId.parse(`school-${schools}`);
      await school.found(tenantId);
    });
    const keepFor = (days: number | null) => school.privacy.configureRetention(days, operator(tenantId));
    const events = (sessionId: SessionId) => school.store.readStream(streams.session(sessionId), { after: 0, limit: 1000 });
    async function messagesOf(sessionId: SessionId) {
      const { state } = await school.handle.load(sessions, streams.session(sessionId), { tenantId });
      return state.status === 'absent' ? [] : state.turns.map((turn) => turn.message);
    }

    test('go when the days since the lesson are over, of that lesson alone, and the log says so once', async () => {
      await keepFor(30);
      const old = await school.teach(tenantId, { studentId: kim, said: ['an old secret'], left: 'ended' });
      clock.nowMs += 10 * dayMs;
      const younger = await school.teach(tenantId, { studentId: kim, said: ['a younger one'], left: 'ended' });
      const other = await school.teach(tenantId, { studentId: lee, said: ['of somebody else'], left: 'active' });
      clock.nowMs = started + 30 * dayMs;
      expect(await school.retention.run()).toBe(0);
      expect(await messagesOf(old)).toEqual(['an old secret']);
      clock.nowMs += 1;
      expect(await school.retention.run()).toBe(1);
      expect(await school.retention.run()).toBe(0);
      expect(await messagesOf(old)).toEqual([null]);
      expect(await messagesOf(younger)).toEqual(['a younger one']);
      expect(await messagesOf(other)).toEqual(['of somebody else']);
      const stored = await events(old);
      expect(stored.at(-1)).toMatchObject({
        type: 'SessionWordsExpired',
        payload: { studentId: 'kim', afterDays: 30 },
        meta: { actor: { kind: 'system' } },
      });
      expect(await verifyChain(streams.session(old), stored)).toMatchObject({ verdict: 'intact' });
      // She goes on learning: only that lesson is closed.
      const next = await school.teach(tenantId, { studentId: kim, said: ['and on'], left: 'active' });
      expect(await messagesOf(next)).toEqual(['and on']);
    });

    test('a fold from before is left with as little as one from after', async () => {
      await keepFor(1);
      const sessionId = await school.teach(tenantId, { studentId: kim, said: ['a', 'b'], left: 'ended' });
      const stream = streams.session(sessionId);
      const before = await school.handle.load(sessions, stream, { tenantId });
      clock.nowMs += 2 * dayMs;
      await school.retention.run();
      const [expiry] = (await events(sessionId)).slice(-1);
      if (expiry === undefined) throw new Error('it expired');
      const followed = sessions.evolve(before.state, sessions.eventOf(await school.codec.open(expiry)));
      expect(followed).toEqual((await school.handle.load(sessions, stream, { tenantId })).state);
      expect(JSON.stringify(followed)).not.toContain('You said');
    });

    test('stay where no rule was made, and where it was taken back', async () => {
      const sessionId = await school.teach(tenantId, { studentId: kim, said: ['for ever'], left: 'ended' });
      await keepFor(1);
      await keepFor(null);
      clock.nowMs += 9_999 * dayMs;
      await school.retention.run();
      expect(await messagesOf(sessionId)).toEqual(['for ever']);
      expect(await school.privacy.retention(tenantId)).toEqual({ wordsDays: null });
      const said = await school.store.readStream(streams.tenant(tenantId), { after: 0, limit: 100 });
      expect(said.filter(({ type }) => type === 'RetentionConfigured').map(({ payload, meta }) => [payload, meta.actor.id])).toEqual([
        [{ before: null, after: 1 }, 'head'],
        [{ before: 1, after: null }, 'head'],
      ]);
    });

    test('in logs from before lessons had keys of their own, go with the last lesson under the same key', async () => {
      await keepFor(30);
      const first = await oldLesson('said first');
      clock.nowMs += 20 * dayMs;
      const second = await oldLesson('said second');
      const own = await school.teach(tenantId, { studentId: kim, said: ['under a key of its own'], left: 'ended' });
      clock.nowMs = started + 31 * dayMs;
      expect(await school.retention.run()).toBe(0);
      expect(await messagesOf(first)).toEqual(['said first']);
      clock.nowMs = started + 50 * dayMs + 1;
      expect(await school.retention.run()).toBe(3);
      for (const sessionId of [first, second, own]) expect(await messagesOf(sessionId)).toEqual([null]);
    });

    /** As the engine sealed it at first: under the one key of its student. */
    async function oldLesson(text: string): Promise<SessionId> {
      const sessionId = await school.teach(tenantId, { studentId: kim, said: [], left: 'active' });
      const stream = streams.session(sessionId);
      const commandId = commandIdOf('said', sessionId);
      const [created] = await events(sessionId);
      if (created === undefined) throw new Error('the lesson began');
      const event = {
        type: 'MessageReceived',
        payload: { turnId: TurnId.parse(commandId), clientMessageId: commandId, modality: 'text', language: 'en', asr: null },
        personal: { text },
      } as const;
      const subject = { tenantId, subjectId: kim };
      const sealed = await school.codec.seal({ stream, event, id: eventIdOf(commandId, 0), meta: created.meta, subject });
      await school.store.append({ commandId, stream, expected: 2, events: [sealed], fingerprint: commandId });
      school.handle.forgetState(stream);
      await school.end(sessionId, 'operator', operator(tenantId));
      return sessionId;
    }
  });
}
