import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openDatabase } from '../../packages/server/src/store/database.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import { command, draft, readAll } from '../support/drafts.ts';
import { positionsUntil } from '../support/followers.ts';
import { anywhere, often } from '../support/long.ts';
import { describeWith } from '../support/loud-skip.ts';
import { postgresAvailable, startPostgres, startStandby } from '../support/postgres.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { expectSoundLog, startWriters } from '../support/writers.ts';

async function openStore(url: string) {
  await using cleanUp = new AsyncDisposableStack();
  const database = cleanUp.use(await openDatabase({ kind: 'server', url }));
  const store = await PostgresEventStore.open(database);
  cleanUp.defer(() => store.close());
  const resources = cleanUp.move();
  return { database, store, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

const crashes = often({ few: 2, long: 50 });
const failovers = often({ few: 1, long: 50 });

describeWith(postgresAvailable, 'PostgreSQL')('PostgreSQL dies while everybody writes', () => {
  test.each(['kill -9', 'pg_ctl -m immediate'])(
    '%s: what was answered is there, once, and followers miss nothing (invariants 5, 10, 14 and 27)',
    async (how) => {
      await using server = await startPostgres();
      await using open = await openStore(server.url);
      const last = Promise.withResolvers<number>();
      const reader = positionsUntil(open.store, { after: 0, limit: 50, last: last.promise });
      const writers = startWriters(open.store, 'crash', 8);
      for (let crash = 0; crash < crashes; crash += 1) {
        const before = writers.unknown();
        await writers.until(writers.acked.length + anywhere({ least: 1, most: 100 }));
        await pause(anywhere({ least: 0, most: 10 }));
        if (how === 'kill -9') await server.kill();
        else server.stopImmediately();
        await expect.poll(() => writers.unknown(), { timeout: 10_000 }).toBeGreaterThan(before);
        await server.start();
      }
      await writers.until(writers.acked.length + 60);
      await writers.stop();
      const events = await expectSoundLog(open.store, writers.acked);
      expect(events).toHaveLength(writers.acked.length);
      last.resolve(events.length);
      expect(await reader).toEqual(events.map(({ position }) => position));
    },
  );

  test('a standby that is promoted has everything that was answered (invariant 27)', async () => {
    for (let failover = 0; failover < failovers; failover += 1) {
      await using server = await startPostgres(['wal_level=replica', 'max_wal_senders=4']);
      await using standby = await startStandby(server);
      const both = `postgres://tutor@127.0.0.1:${server.port},127.0.0.1:${standby.port}/postgres?target_session_attrs=read-write`;
      await using open = await openStore(both);
      // From here on a commit is answered only when the standby has it on disk.
      await open.database.sql.unsafe(`alter system set synchronous_standby_names = '*'`);
      await open.database.sql`select pg_reload_conf()`;
      await expect
        .poll(async () => (await open.database.sql`select from pg_stat_replication where sync_state = 'sync'`).length, { timeout: 20_000 })
        .toBe(1);
      const writers = startWriters(open.store, 'failover', 8);
      await writers.until(anywhere({ least: 20, most: 150 }));
      await server.kill();
      standby.promote();
      await writers.until(writers.acked.length + 60);
      await writers.stop();
      await expectSoundLog(open.store, writers.acked);
    }
  });
});

describeWith(postgresAvailable, 'PostgreSQL')('a backup of the log', () => {
  test('restored into a fresh cluster, is followed on from the same positions (invariant 28)', async () => {
    await using server = await startPostgres();
    await using fresh = await startPostgres();
    const dump = join(server.folder, 'dump');
    const cursors = [0, 5, 17, 40];
    const before = await (async () => {
      await using open = await openStore(server.url);
      const writers = startWriters(open.store, 'backup', 4);
      await writers.until(40);
      await writers.stop();
      execFileSync(server.program('pg_dump'), ['-Fc', '-f', dump, server.url]);
      return readAll(open.store);
    })();
    execFileSync(fresh.program('pg_restore'), ['--no-owner', '-d', fresh.url, dump]);
    await using open = await openStore(fresh.url);
    expect(await readAll(open.store)).toEqual(before);
    const last = Promise.withResolvers<number>();
    const readers = cursors.map((after) => positionsUntil(open.store, { after, limit: 7, last: last.promise }));
    const writers = startWriters(open.store, 'restored', 4);
    await writers.until(20);
    await writers.stop();
    const events = await expectSoundLog(open.store, writers.acked);
    last.resolve(events.length);
    for (const [i, seen] of (await Promise.all(readers)).entries()) {
      expect(seen).toEqual(events.slice(cursors[i]).map(({ position }) => position));
    }
  });
});

const smallDisk = postgresAvailable ? mountSmallDisk(160) : null;

describeWith(smallDisk !== null, 'a small disk to fill (needs PostgreSQL, root and mount)')('the disk of PostgreSQL fills up', () => {
  test('appends fail with a typed error, and once there is room the log is whole and goes on (invariant 27)', async () => {
    using disk = smallDisk ?? expect.fail();
    const ballast = join(disk.folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(40 * 1024 * 1024));
    await using server = await startPostgres(['max_wal_size=64MB', 'min_wal_size=32MB', 'restart_after_crash=on'], disk.folder);
    await using open = await openStore(server.url);
    const acked: ReturnType<typeof command>[] = [];
    const failure = await (async () => {
      for (let i = 0; i < 400; i += 1) {
        const request = command(`full-${i}`, 'none', [draft({ filler: randomBytes(400_000).toString('base64') })]);
        try {
          await open.store.append(request);
          acked.push(request);
        } catch (error) {
          return { error, request };
        }
      }
      return null;
    })();
    expect(failure?.error).toMatchObject({ name: 'StoreUnavailable' });
    rmSync(ballast);
    await expect.poll(() => open.store.head().catch(() => -1), { timeout: 30_000 }).toBeGreaterThanOrEqual(acked.length);
    // The one that failed, again: its outcome was unknown.
    const again = failure?.request ?? expect.fail();
    await expect
      .poll(
        () =>
          open.store.append(again).then(
            ({ status }) => status,
            () => 'unavailable',
          ),
        { timeout: 30_000 },
      )
      .not.toBe('unavailable');
    expect(await expectSoundLog(open.store, [...acked, again])).toHaveLength(acked.length + 1);
  });
});
