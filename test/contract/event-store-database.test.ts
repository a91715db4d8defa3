import { drizzle } from 'drizzle-orm/postgres-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../packages/server/src/store/database.ts';
import { migrate, SchemaTooNew } from '../../packages/server/src/store/migrations.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import { command, draft, readAll, stream } from '../support/drafts.ts';
import { describeWith } from '../support/loud-skip.ts';
import { type PostgresServer, postgresAvailable, startPostgres } from '../support/postgres.ts';
import { databaseKinds, describeOn, type OpenDatabaseStore, openDatabaseStore } from '../support/stores.ts';

for (const kind of databaseKinds) {
  describeOn(kind)(`the log's tables on ${kind}`, () => {
    let open: OpenDatabaseStore;
    beforeAll(async () => {
      open = await openDatabaseStore(kind);
    });
    afterAll(async () => {
      await open[Symbol.asyncDispose]();
    });

    test('nothing that was written can be changed, removed or emptied (invariant 6)', async () => {
      const { sql } = open.database;
      await open.store.append(command('kept', 'none'));
      for (const statement of [
        `update es_event set payload = '{}'`,
        'delete from es_event where false',
        'truncate es_event',
        'delete from es_command',
        'truncate es_command',
      ]) {
        await expect(sql.unsafe(statement)).rejects.toMatchObject({ code: 'ES001' });
      }
      expect(await open.store.readStream(stream('kept'), { after: 0, limit: 10 })).toHaveLength(1);
    });

    test.each(['repeatable read', 'serializable'])(
      'an append under %s is refused: its snapshot is too old (invariant 7)',
      async (level) => {
        const append = open.database.sql.begin(`isolation level ${level}`, (tx) => tx`select * from es_append('[]', '[]')`);
        await expect(append).rejects.toMatchObject({ code: 'ES002' });
      },
    );

    test('an append is on disk when it is answered, even where commits are set to be lazy (invariant 5)', async () => {
      const setting = await open.database.sql.begin(async (tx) => {
        await tx`set local synchronous_commit to off`;
        await tx`select * from es_append('[]', '[]')`;
        return tx<{ synchronous_commit: string }[]>`show synchronous_commit`;
      });
      expect(setting[0]?.synchronous_commit).toBe('on');
    });

    test('clocks that jump back change no order (invariant 30)', async () => {
      const at = (year: number) => draft({ year }, { meta: { ...draft().meta, occurredAt: `${year}-01-01T00:00:00.000Z` } });
      const { sql } = open.database;
      await open.store.append(command('clock', 'none', [at(2030)]));
      // The database's clock, as of now.
      await sql.unsafe(`alter table es_event alter recorded_at set default '2001-01-01T00:00:00Z'`);
      await open.store.append(command('clock', 1, [at(1999)]));
      await sql.unsafe('alter table es_event alter recorded_at set default clock_timestamp()');
      await open.store.append(command('clock', 2, [at(2031)]));
      const events = await open.store.readStream(stream('clock'), { after: 0, limit: 10 });
      expect(events.map(({ payload, recordedAt }) => [payload['year'], recordedAt < '2002'])).toEqual([
        [2030, false],
        [1999, true],
        [2031, false],
      ]);
      expect((await readAll(open.store)).slice(-3)).toEqual(events);
    });

    test('migrations that were applied are not applied again', async () => {
      await Promise.all([migrate(open.database.sql), migrate(open.database.sql)]);
      const applied = await open.database.sql<{ id: number }[]>`select id from es_migration order by id`;
      expect(applied.map(({ id }) => id)).toEqual(applied.map((_, i) => i + 1));
    });

    test('the read model may share the client: events read the same after drizzle changed its parsers', async () => {
      await open.store.append(command('shared', 'none', [draft({ at: '2026-01-01T00:00:00.000Z', list: [1, '2'] })]));
      const before = await open.store.readStream(stream('shared'), { after: 0, limit: 10 });
      drizzle(open.database.sql);
      await open.store.append(command('shared', 1));
      const after = await open.store.readStream(stream('shared'), { after: 0, limit: 1 });
      expect(after).toEqual(before);
    });

    test('a database of a newer engine is left alone', async () => {
      const { sql } = open.database;
      await sql`insert into es_migration (id, name) values (999, 'from the future')`;
      await expect(migrate(sql)).rejects.toThrow(SchemaTooNew);
      await sql`delete from es_migration where id = 999`;
    });
  });
}

describeWith(postgresAvailable, 'PostgreSQL')('several nodes on one PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  test('five that start at the same moment on an empty database all come up', async () => {
    const url = await server.createDatabase('together');
    const databases = await Promise.all(Array.from({ length: 5 }, () => openDatabase({ kind: 'server', url })));
    for (const { sql } of databases) expect(await sql`select from es_event`).toHaveLength(0);
    for (const database of databases) await database[Symbol.asyncDispose]();
  });

  test('an ordinary role that owns the tables may not change the log either (invariant 6)', async () => {
    const url = new URL(await server.createDatabase('owned'));
    await using admin = await openDatabase({ kind: 'server', url: server.url });
    await admin.sql.unsafe('create role school login; alter database owned owner to school');
    url.username = 'school';
    await using database = await openDatabase({ kind: 'server', url: url.href });
    await expect(database.sql`update es_event set payload = '{}'`).rejects.toMatchObject({ code: '42501' });
    await expect(database.sql`truncate es_event`).rejects.toMatchObject({ code: '42501' });
    const store = await PostgresEventStore.open(database);
    expect(await store.append(command('owned', 'none'))).toMatchObject({ status: 'appended', lastPosition: 1 });
    await store.close();
  });

  test('racing appends of many nodes: one winner per revision, dense positions (invariants 1, 2 and 3)', async () => {
    const url = await server.createDatabase('racing');
    await using stack = new AsyncDisposableStack();
    const nodes = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const store = await PostgresEventStore.open(stack.use(await openDatabase({ kind: 'server', url })));
        stack.defer(() => store.close());
        return store;
      }),
    );
    const first = nodes[0] ?? expect.fail();
    for (let revision = 0; revision < 20; revision += 1) {
      const results = await Promise.all(
        nodes.flatMap((node) => [0, 1].map(() => node.append(command('raced', revision === 0 ? 'none' : revision)))),
      );
      expect(results.filter(({ status }) => status === 'appended')).toHaveLength(1);
    }
    const same = command('same', 'none');
    const answers = await Promise.all(nodes.map((node) => node.append(same)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual(['appended', 'duplicate', 'duplicate', 'duplicate']);
    const events = await readAll(first);
    expect(events.map(({ position }) => position)).toEqual(events.map((_, i) => i + 1));
    expect(events).toHaveLength(21);
  });
});
