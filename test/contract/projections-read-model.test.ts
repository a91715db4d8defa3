import { KnowledgeBaseId, SessionId, StudentId, TenantId, TutorId } from '@virtual-tutor/schemas';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allProjections } from '../../packages/server/src/app/projections/all.ts';
import type { Page, PageRequest, ReadModel } from '../../packages/server/src/app/read-model.ts';
import { PostgresProjectionStore } from '../../packages/server/src/store/projection-store.ts';
import { PostgresReadModel } from '../../packages/server/src/store/read-model.ts';
import { append, history } from '../support/histories.ts';
import { created, school, startProjector } from '../support/projecting.ts';
import { databaseKinds, describeOn, type OpenDatabaseStore, openDatabaseStore } from '../support/stores.ts';

const lessons = 23;
const elsewhere = TenantId.parse('elsewhere');

async function walk<T>(limit: number, pageOf: (request: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await pageOf({ limit, cursor });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    if (page.nextCursor === null) return items;
    cursor = page.nextCursor;
  }
}

for (const kind of databaseKinds)
  describeOn(kind)(`the read model on ${kind}`, () => {
    let open: OpenDatabaseStore;
    let readModel: ReadModel;
    beforeAll(async () => {
      open = await openDatabaseStore(kind);
      readModel = new PostgresReadModel(open.database);
      const begun = Array.from({ length: lessons }, (_, i) => created(i));
      const ended = begun.slice(0, 8).map((lesson) => ({ ...lesson, type: 'SessionEnded', payload: { reason: 'student' } }));
      await append(open.store, [...begun, ...ended, ...fc.sample(history, { seed: 5, numRuns: 6 }).flat()]);
      const store = new PostgresProjectionStore(open.database);
      await (await startProjector({ events: open.store, store, projections: allProjections })).close();
    });
    afterAll(async () => {
      await open[Symbol.asyncDispose]();
    });

    test.each([1, 4, 23, 200])('lessons in pages of %d come newest first, each once', async (limit) => {
      const ids = Array.from({ length: lessons }, (_, i) => created(i).stream.replace('session-', '')).toReversed();
      const sessions = await walk(limit, (request) => readModel.sessions(school, request));
      expect(sessions.map(({ id }) => id)).toEqual(ids);
      expect((await walk(limit, (request) => readModel.sessions(school, { ...request, status: 'ended' }))).map(({ id }) => id)).toEqual(
        ids.slice(-8),
      );
      const studentId = StudentId.parse('student-3');
      expect(await walk(limit, (request) => readModel.sessions(school, { ...request, studentId, status: 'active' }))).toEqual(
        sessions.filter((session) => session.studentId === studentId && session.status === 'active'),
      );
    });

    test('nobody sees another tenant’s rows', async () => {
      const sessionId = SessionId.parse(created(0).stream.replace('session-', ''));
      expect(await readModel.session(school, sessionId)).toMatchObject({
        id: sessionId,
        studentId: 'student-0',
        status: 'ended',
        turns: 0,
      });
      expect(await readModel.session(elsewhere, sessionId)).toBeNull();
      for (const page of [
        await readModel.sessions(elsewhere, { limit: 200 }),
        await readModel.tutors(elsewhere, { limit: 200 }),
        await readModel.knowledgeBases(elsewhere, { limit: 200 }),
        await readModel.documents(elsewhere, KnowledgeBaseId.parse('course-1'), { limit: 200 }),
      ]) {
        expect(page).toEqual({ items: [], nextCursor: null });
      }
      expect(await readModel.apiKeys(elsewhere)).toEqual([]);
      expect(await readModel.tutor(elsewhere, TutorId.parse('tutor-1'))).toBeNull();
      expect(await readModel.knowledgeBase(elsewhere, KnowledgeBaseId.parse('course-1'))).toBeNull();
    });

    test('one row and its place in a list say the same', async () => {
      for (const tenant of ['north', 'south'].map((id) => TenantId.parse(id))) {
        const tutors = await walk(2, (request) => readModel.tutors(tenant, request));
        expect(tutors.length).toBeGreaterThan(0);
        for (const tutor of tutors) expect(await readModel.tutor(tenant, tutor.id)).toEqual(tutor);
        for (const base of await walk(2, (request) => readModel.knowledgeBases(tenant, request))) {
          expect(await readModel.knowledgeBase(tenant, base.id)).toEqual(base);
        }
        for (const session of await walk(2, (request) => readModel.sessions(tenant, request))) {
          expect(await readModel.session(tenant, session.id)).toEqual(session);
          const turns = await walk(2, (request) => readModel.transcript(session.id, request));
          expect(turns.map(({ messageRevision }) => messageRevision)).toEqual(
            turns.map(({ messageRevision }) => messageRevision).toSorted((a, b) => a - b),
          );
        }
      }
    });

    test('a key is found by its hash alone, revoked or not', async () => {
      const keys = await readModel.apiKeys(TenantId.parse('north'));
      expect(keys.length).toBeGreaterThan(0);
      for (const n of [1, 2, 3]) {
        const found = await readModel.apiKeyByHash(String(n).repeat(64));
        if (found === null) continue;
        const [key] = (await readModel.apiKeys(found.tenantId)).filter(({ keyId }) => keyId === found.keyId);
        expect(key).toMatchObject({ role: found.role });
        expect(key?.revokedAt !== null).toBe(found.revoked);
      }
      expect(await readModel.apiKeyByHash('f'.repeat(64))).toBeNull();
    });

    test('of lessons under way their host learns what it needs', async () => {
      const active = (await readModel.activeSessions()).filter(({ tenantId }) => tenantId === school);
      expect(active).toHaveLength(lessons - 8);
      expect(active[0]).toMatchObject({ node: null, limits: { maxDurationMs: 3_600_000, idleMs: 600_000 } });
    });
  });
