import { setTimeout as pause } from 'node:timers/promises';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StoreUnavailable } from '../../packages/server/src/app/ports.ts';
import { openDatabase } from '../../packages/server/src/store/database.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import { command, draft } from '../support/drafts.ts';
import { positionsUntil } from '../support/followers.ts';
import { describeWith } from '../support/loud-skip.ts';
import { type PostgresServer, postgresAvailable, startPostgres } from '../support/postgres.ts';
import { expectSoundLog, startWriters } from '../support/writers.ts';

const orderLock = 1163084612;

describeWith(postgresAvailable, 'PostgreSQL')('the event log under contention', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  /** Two nodes and a bare client on a database of their own. */
  async function world(name: string) {
    await using cleanUp = new AsyncDisposableStack();
    const url = await server.createDatabase(name);
    const limits = { lockMs: 5_000, statementMs: 10_000, silenceMs: 12_000 };
    const open = async (lockMs = limits.lockMs) => {
      const database = cleanUp.use(await openDatabase({ kind: 'server', url, limits: { ...limits, lockMs } }));
      const store = await PostgresEventStore.open(database);
      cleanUp.defer(() => store.close());
      return store;
    };
    const stores = [await open(), await open(), await open(300)] as const;
    const bare: Sql = postgres(url, { max: 2, onnotice: () => {} });
    cleanUp.defer(() => bare.end({ timeout: 1 }));
    const resources = cleanUp.move();
    return { stores, bare, [Symbol.asyncDispose]: () => resources.disposeAsync() };
  }

  test('a writer that pauses after it took its position hides nothing from readers (invariant 13)', async () => {
    await using w = await world('slow');
    const [a, b] = w.stores;
    await w.bare.unsafe(`
      create function pause_slow() returns trigger language plpgsql as $$
      begin
        perform pg_advisory_xact_lock(4711);
        return new;
      end $$;
      create trigger pause_slow before insert on es_event for each row when (new.stream like '%-slow-%') execute function pause_slow()`);
    const last = Promise.withResolvers<number>();
    const readers = [1, 2, 10, 500].map((limit) => positionsUntil(b, { after: 0, limit, last: last.promise }));
    for (let round = 0; round < 3; round += 1) {
      const gate = await w.bare.reserve();
      await gate`select pg_advisory_lock(4711)`;
      const slow = a.append(command(`slow-${round}`, 'none', [draft(), draft()]));
      await expect
        .poll(async () => (await w.bare`select from pg_locks where locktype = 'advisory' and not granted and objid = 4711`).length)
        .toBe(1);
      const head = await b.head();
      const others = Array.from({ length: 10 }, (_, i) => b.append(command(`other-${round}-${i}`, 'none')));
      await pause(50);
      // Nobody overtakes: a later position is never visible before an earlier one.
      expect(await b.head()).toBe(head);
      await gate`select pg_advisory_unlock(4711)`;
      gate.release();
      await Promise.all([slow, ...others]);
    }
    const head = await b.head();
    expect(head).toBe(36);
    last.resolve(head);
    for (const seen of await Promise.all(readers)) expect(seen).toEqual(Array.from({ length: head }, (_, i) => i + 1));
  });

  test('readers that start at any moment, from any position, miss nothing and see nothing twice (invariants 14 and 16)', async () => {
    await using w = await world('handover');
    const [a, b] = w.stores;
    const last = Promise.withResolvers<number>();
    const writers = [startWriters(a, 'one', 8), startWriters(b, 'two', 8)] as const;
    const readers: Promise<{ readonly after: number; readonly seen: readonly number[] }>[] = [];
    for (const [i, limit] of [1, 3, 50, 500, 7, 100].entries()) {
      await writers[0].until((i + 1) * 40);
      const after = i % 2 === 0 ? 0 : (await b.head()) - i;
      readers.push(positionsUntil(i % 2 === 0 ? a : b, { after, limit, last: last.promise }).then((seen) => ({ after, seen })));
    }
    await Promise.all(writers.map((one) => one.stop()));
    const head = await a.head();
    last.resolve(head);
    for (const { after, seen } of await Promise.all(readers)) {
      expect(seen).toEqual(Array.from({ length: head - after }, (_, i) => after + i + 1));
    }
    await expectSoundLog(
      b,
      writers.flatMap(({ acked }) => acked),
    );
  });

  test('whoever waits for a stuck holder of the order lock gets a typed error in time, and succeeds later (invariant 31)', async () => {
    await using w = await world('stuck');
    const hasty = w.stores[2];
    const holder = await w.bare.reserve();
    await holder`select pg_advisory_lock(${orderLock}::int, 1)`;
    const request = command('stuck', 'none');
    const started = performance.now();
    await expect(hasty.append(request)).rejects.toThrow(StoreUnavailable);
    expect(performance.now() - started).toBeLessThan(4_000);
    expect(await hasty.head()).toBe(0);
    await holder`select pg_advisory_unlock(${orderLock}::int, 1)`;
    holder.release();
    expect(await hasty.append(request)).toMatchObject({ status: 'appended', lastPosition: 1 });
  });

  test('a long export sees one moment, and leaves nothing for writers to trip over (invariant 29)', async () => {
    await using w = await world('export');
    const [a, b] = w.stores;
    await a.append(command('first', 'none'));
    const writers = startWriters(a, 'load', 16);
    await writers.until(50);
    const counts = await w.bare.begin('isolation level repeatable read', async (tx) => {
      const seen: number[] = [];
      for (let step = 1; step <= 5; step += 1) {
        const [row] = await tx<{ count: number }[]>`select count(*)::int as count from es_event`;
        seen.push(row?.count ?? -1);
        await writers.until(writers.acked.length + 100);
      }
      return seen;
    });
    await writers.stop();
    expect(new Set(counts).size).toBe(1);
    await expectSoundLog(b, writers.acked);
    // Old row versions are what slows writers down while a snapshot is held: appending makes none.
    const statistics = async () => {
      const [row] = await w.bare<{ written: number; changed: number }[]>`
        select sum(n_tup_ins)::int as written, sum(n_tup_upd + n_tup_del + n_dead_tup)::int as changed
        from pg_stat_user_tables where relname in ('es_event', 'es_command')`;
      return row;
    };
    const written = 2 * (await a.head());
    // A backend reports its statistics when it leaves.
    await w.bare`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'virtual-tutor-engine' and datname = current_database()`;
    await expect.poll(async () => (await statistics())?.written, { timeout: 10_000 }).toBe(written);
    expect((await statistics())?.changed).toBe(0);
  });

  test('of three streams in one batch the bad one fails alone (invariant 39)', async () => {
    await using w = await world('bad');
    const [a] = w.stores;
    const known = command('known', 'none');
    await a.append(known);
    const clash = { ...command('clash', 'none'), events: known.events };
    const results = await Promise.allSettled([a.append(command('good-1', 'none')), a.append(clash), a.append(command('good-2', 'none'))]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await expectSoundLog(a, []);
    expect(await a.head()).toBe(3);
  });

  test('one stream that everybody writes to does not starve the others (invariant 39)', async () => {
    await using w = await world('hot');
    const [a] = w.stores;
    const order: string[] = [];
    const hot = Array.from({ length: 60 }, () => a.append(command('hot', 'any')).then(() => order.push('hot')));
    const cold = Array.from({ length: 20 }, (_, i) => a.append(command(`cold-${i}`, 'none')).then(() => order.push('cold')));
    await Promise.all([...hot, ...cold]);
    expect(order.lastIndexOf('cold')).toBeLessThan(30);
  });
});
