import { api, Health, streams, TutorId } from '@virtual-tutor/schemas';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultTenant } from '../../packages/server/src/app/access.ts';
import { allProjections } from '../../packages/server/src/app/projections/all.ts';
import { openDatabase } from '../../packages/server/src/store/database.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import { startEngine } from '../support/engine.ts';
import { append } from '../support/histories.ts';
import { consoleClient, eventsOf, joinLesson } from '../support/lesson.ts';
import { describeWith } from '../support/loud-skip.ts';
import { postgresAvailable, startPostgres } from '../support/postgres.ts';
import { wire } from '../support/wire.ts';

const patience = { timeout: 30_000, interval: 50 };

/** An engine whose log others can reach, too. */
async function startWorld() {
  await using cleanUp = new AsyncDisposableStack();
  const server = cleanUp.use(await startPostgres());
  const engine = cleanUp.use(await startEngine({ DATABASE_URL: server.url, EXTRACTIVE_PACE_MS: '5' }));
  const database = cleanUp.use(await openDatabase({ kind: 'server', url: server.url }));
  const store = await PostgresEventStore.open(database);
  cleanUp.defer(() => store.close());
  const operator = wire(engine.url, engine.apiKey);
  const client = await consoleClient(engine);
  const resources = cleanUp.move();

  async function projections() {
    const answer = await operator.query('projections.list');
    return answer.ok ? api.projections.list.output.parse(answer.data) : expect.fail(answer.error.code);
  }
  return {
    engine,
    store,
    client,
    projections,
    /** All of them anew, until each serves its next generation. */
    async rebuildAll() {
      const before = await projections();
      for (const { name } of before) expect(await operator.mutate('projections.rebuild', { name })).toMatchObject({ ok: true });
      const wanted = before.map(({ name, generation }) => ({ name, generation: generation + 1, state: 'active' }));
      await expect.poll(projections, patience).toMatchObject(wanted);
    },
    /** What pages are shown of it all. */
    async shown(sessionId: string) {
      return {
        sessions: await Array.fromAsync(client.sessions.list()),
        transcript: await Array.fromAsync(client.sessions.transcript(sessionId)),
        tutors: await Array.fromAsync(client.tutors.list()),
      };
    },
    health: async () => Health.parse(await (await fetch(`${engine.url}/health`)).json()),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

describeWith(postgresAvailable, 'PostgreSQL')('an engine whose read model is rebuilt', () => {
  let world: Awaited<ReturnType<typeof startWorld>>;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  test('goes on serving and teaching, shows the same afterwards, and does nothing a second time (invariant 25)', async () => {
    await using joined = await joinLesson(world.client);
    const first = joined.session.chat.send('Why is the sky blue?');
    await Promise.all([first.text(), world.rebuildAll()]);
    const second = await joined.session.chat.send('What is friction?').text();
    expect(second.length).toBeGreaterThan(0);
    await expect
      .poll(async () => (await eventsOf(world.client, joined.sessionId)).filter(({ type }) => type === 'ReplyCompleted').length, patience)
      .toBe(2);

    const [before, head] = [await world.shown(joined.sessionId), await world.store.head()];
    expect(before.transcript).toMatchObject([{ status: 'completed' }, { status: 'completed' }]);
    await world.rebuildAll();
    expect(await world.shown(joined.sessionId)).toEqual(before);
    // Whoever acts on events follows the log from its head on, and never a projection's rebuild.
    expect(await world.store.head()).toBe(head);
    const events = await eventsOf(world.client, joined.sessionId);
    for (const type of ['ReplyStarted', 'ReplyCompleted', 'SessionHosted']) {
      expect(events.filter((event) => event.type === type)).toHaveLength(type === 'SessionHosted' ? 1 : 2);
    }
    expect((await world.health()).dependencies.find(({ name }) => name === 'projections')).toMatchObject({ status: 'ok' });
    expect(world.engine.output()).not.toContain('a defect');
  });

  test('parks what an event poisons, says so in its health, and teaches on (invariant 24)', async () => {
    const stream = streams.tutor(defaultTenant, TutorId.parse('poisoned'));
    const payload = { before: null, after: 'no settings' };
    const position = await append(world.store, [{ tenantId: defaultTenant, stream, type: 'TutorConfigured', payload }]);
    const parked = async () => (await world.projections()).filter(({ state }) => state === 'parked');
    await expect
      .poll(parked, patience)
      .toMatchObject([{ name: 'tutors', position: position - 1, error: expect.stringContaining(`position ${position}`) }]);

    const health = await world.health();
    expect(health.status).toBe('degraded');
    const { status, reason } = health.dependencies.find(({ name }) => name === 'projections') ?? expect.fail();
    expect(status).toBe('degraded');
    expect(reason).toContain('parked: tutors');
    await using joined = await joinLesson(world.client, { studentId: 'later' });
    expect(await joined.session.chat.send('Why is the sky blue?').text()).toContain('blue');
    expect(await Array.fromAsync(world.client.sessions.transcript(joined.sessionId))).toMatchObject([{ status: 'completed' }]);
    expect((await world.projections()).filter(({ state }) => state === 'active')).toHaveLength(allProjections.length - 1);
    // A rebuild does not get past it either, and leaves what is served alone.
    const tutors = await Array.fromAsync(world.client.tutors.list());
    expect(await wire(world.engine.url, world.engine.apiKey).mutate('projections.rebuild', { name: 'tutors' })).toMatchObject({ ok: true });
    await expect.poll(async () => (await parked()).length, patience).toBe(2);
    expect(await Array.fromAsync(world.client.tutors.list())).toEqual(tutors);
  });
});
