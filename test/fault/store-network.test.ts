import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type EventStore, StoreUnavailable } from '../../packages/server/src/app/ports.ts';
import { Tail } from '../../packages/server/src/app/tail.ts';
import { type Database, openDatabase } from '../../packages/server/src/store/database.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import { command, readAll, stream } from '../support/drafts.ts';
import { FaultyProxy } from '../support/faulty-proxy.ts';
import { anywhere, often } from '../support/long.ts';
import { describeWith } from '../support/loud-skip.ts';
import { type PostgresServer, postgresAvailable, startPostgres } from '../support/postgres.ts';
import { expectSoundLog, startWriters } from '../support/writers.ts';

const limits = { lockMs: 300, statementMs: 600, silenceMs: 1_000 };

describeWith(postgresAvailable, 'PostgreSQL')('the event log and a bad connection', () => {
  let server: PostgresServer;
  let proxy: FaultyProxy;
  /** Goes to the database through the proxy. */
  let far: { readonly database: Database; readonly store: EventStore };
  /** Another node, with a good connection. */
  let near: { readonly database: Database; readonly store: EventStore };
  const stack = new AsyncDisposableStack();

  async function node(port: number) {
    const database = stack.use(await openDatabase({ kind: 'server', url: `postgres://tutor@127.0.0.1:${port}/postgres`, limits }));
    const store = await PostgresEventStore.open(database);
    stack.defer(() => store.close());
    return { database, store };
  }

  beforeAll(async () => {
    server = stack.use(await startPostgres());
    proxy = stack.use(await FaultyProxy.to(server.port));
    far = await node(proxy.port);
    near = await node(server.port);
  });
  beforeEach(() => {
    proxy.answers = 'pass';
  });
  afterAll(async () => {
    await stack.disposeAsync();
  });

  async function listeners(): Promise<readonly number[]> {
    const rows = await near.database.sql<{ pid: number }[]>`
      select pid from pg_stat_activity where application_name = 'virtual-tutor-engine listener'`;
    return rows.map(({ pid }) => pid);
  }

  test.each(['swallow', 'cut'] as const)(
    'an append whose answer is lost (%s) can be repeated and is there once (invariants 12 and 27)',
    async (fault) => {
      const request = command(`lost-${fault}`, 'none');
      await far.store.append(command(`before-${fault}`, 'none'));
      proxy.answers = fault;
      await expect(far.store.append(request)).rejects.toThrow(StoreUnavailable);
      proxy.answers = 'pass';
      // The first try was committed: nobody told its sender.
      expect(await near.store.readStream(request.stream, { after: 0, limit: 10 })).toHaveLength(1);
      expect((await far.store.append(request)).status).toBe('duplicate');
      expect(await far.store.readStream(request.stream, { after: 0, limit: 10 })).toHaveLength(1);
    },
  );

  test('connections that are reset anywhere, in a statement, a commit or an answer, cost time and no event (invariants 12 and 27)', async () => {
    const writers = startWriters(far.store, 'reset', 8);
    for (let reset = 1; reset <= often({ few: 8, long: 100 }); reset += 1) {
      const before = writers.acked.length;
      const cutsMade = proxy.cutsMade;
      proxy.cutAfter(anywhere({ least: 1, most: 30_000 }));
      await expect.poll(() => proxy.cutsMade, { timeout: 10_000, interval: 5 }).toBeGreaterThan(cutsMade);
      await writers.until(before + anywhere({ least: 1, most: 20 }));
    }
    await writers.stop();
    expect(writers.unknown()).toBeGreaterThan(0);
    const events = await expectSoundLog(near.store, writers.acked);
    expect(events.filter(({ stream }) => stream.startsWith('session-reset-'))).toHaveLength(writers.acked.length);
  });

  test('a read that nobody answers ends with a typed error, and the next one works (invariant 31)', async () => {
    proxy.answers = 'swallow';
    await expect(far.store.head()).rejects.toThrow(StoreUnavailable);
    proxy.answers = 'pass';
    expect(await far.store.head()).toBe(await near.store.head());
  });

  test('a follower whose LISTEN connection is killed misses nothing, and listens again (invariant 15)', async () => {
    const seen: number[] = [];
    const defects: unknown[] = [];
    const start = await near.store.head();
    const tail = await Tail.start(far.store, (error) => defects.push(error));
    tail.onEvent(({ position }) => seen.push(position));
    await expect.poll(async () => (await listeners()).length, { timeout: 5_000 }).toBe(2);
    for (let round = 0; round < 3; round += 1) {
      const killed = await listeners();
      for (const pid of killed) await near.database.sql`select pg_terminate_backend(${pid})`;
      await near.store.append(command(`unheard-${round}`, 'none'));
      await expect.poll(() => seen.at(-1), { timeout: 5_000 }).toBe(start + round + 1);
      await expect.poll(async () => (await listeners()).filter((pid) => !killed.includes(pid)).length, { timeout: 5_000 }).toBe(2);
    }
    expect(seen).toEqual([1, 2, 3].map((n) => start + n));
    expect(defects).toEqual([]);
    await tail.close();
  });

  test('a notification is heard at once, well before the next poll (invariant 15)', async () => {
    const delays: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const heard = Promise.withResolvers<void>();
      const head = await near.store.head();
      const stop = far.store.onAppended(() => heard.resolve());
      // A wake-up by the poll is possible too: only the fastest of five counts.
      const started = performance.now();
      await near.store.append(command(`heard-${round}`, 'none'));
      await heard.promise;
      delays.push(performance.now() - started);
      stop();
      expect(await far.store.head()).toBe(head + 1);
    }
    expect(Math.min(...delays)).toBeLessThan(300);
  });

  test('a storm of notifications costs a follower nothing but time (invariant 15)', async () => {
    const seen: number[] = [];
    const start = await near.store.head();
    const tail = await Tail.start(far.store, () => undefined);
    tail.onEvent(({ position }) => seen.push(position));
    const storm = near.database.sql`select pg_notify('es_appended', i::text) from generate_series(1, 20000) i`;
    await Promise.all([storm, ...Array.from({ length: 20 }, (_, i) => near.store.append(command(`storm-${i}`, 'none')))]);
    await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(20);
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => start + i + 1));
    await tail.close();
  });

  test('after all that the log is dense, and nothing is in it twice', async () => {
    const events = await readAll(near.store);
    expect(events.map(({ position }) => position)).toEqual(events.map((_, i) => i + 1));
    expect(await near.store.readStream(stream('lost-cut'), { after: 0, limit: 10 })).toHaveLength(1);
  });
});
