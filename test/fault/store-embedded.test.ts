import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, fsyncSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../packages/server/src/store/database.ts';
import { openDurablePglite } from '../../packages/server/src/store/durable-pglite.ts';
import { DataFolderInUse, lockFolder } from '../../packages/server/src/store/folder-lock.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import { command, draft, readAll } from '../support/drafts.ts';
import { anywhere, often } from '../support/long.ts';
import { describeWith } from '../support/loud-skip.ts';
import { putDatabaseInto } from '../support/made-database.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { expectSoundLog, startWriters } from '../support/writers.ts';

interface Writer {
  readonly process: ChildProcessByStdio<null, Readable, null>;
  /** Everything it said so far. */
  readonly lines: readonly string[];
  readonly ended: Promise<unknown>;
}

function startWriter(dataDir: string, name: string): Writer {
  const script = new URL('../support/embedded-writer.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, dataDir, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return { process: child, lines, ended: once(child, 'close') };
}

const deaths = often({ few: 3, long: 50 });
const waiting = { timeout: 60_000, interval: 10 };

// In this order, on one data folder: making a new one takes seconds.
describe('PGlite, the embedded database', () => {
  let folder: string;
  let dataDir: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tutor-embedded-'));
    dataDir = join(folder, 'data');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test('starts over after a first start that was cut short', async () => {
    mkdirSync(join(dataDir, 'pglite.new', 'base'), { recursive: true, mode: 0o700 });
    writeFileSync(join(dataDir, 'pglite.new', 'PG_VERSION'), '18\n');
    await using database = await openDatabase({ kind: 'embedded', dataDir });
    expect(await database.sql`select 1 as one`).toEqual([{ one: 1 }]);
    expect(existsSync(join(dataDir, 'pglite.new'))).toBe(false);
  });

  test('survives kill -9 in the middle of writing: what was answered is there, once (invariants 5, 10, 27 and 32)', async () => {
    const acked: string[] = [];
    for (let death = 0; death < deaths; death += 1) {
      const writer = startWriter(dataDir, `life-${death}`);
      await expect.poll(() => writer.lines.length, waiting).toBeGreaterThan(anywhere({ least: 30, most: 120 }));
      await pause(anywhere({ least: 0, most: 10 }));
      writer.process.kill('SIGKILL');
      await writer.ended;
      // The last line may have been cut.
      acked.push(...writer.lines.filter((line) => line.length === 36));
    }
    await using database = await openDatabase({ kind: 'embedded', dataDir });
    const store = await PostgresEventStore.open(database);
    const ids = new Set((await expectSoundLog(store, [])).map(({ id }) => String(id)));
    expect(acked.length).toBeGreaterThan(deaths * 30);
    expect(acked.filter((id) => !ids.has(id))).toEqual([]);
    await store.close();
  });

  test('refuses a second process with a sentence that says who is there and what to do (invariant 32)', async () => {
    await using database = await openDatabase({ kind: 'embedded', dataDir });
    const second = startWriter(dataDir, 'second');
    await expect.poll(() => second.lines.length, waiting).toBe(1);
    second.process.kill('SIGKILL');
    await second.ended;
    expect(second.lines).toEqual([
      `refused: the data folder ${dataDir} is in use by process ${process.pid}: stop that engine first, or start this one with another DATA_DIR`,
    ]);
    await expect(openDatabase({ kind: 'embedded', dataDir })).rejects.toThrow(DataFolderInUse);
    expect(await database.sql`select 1 as one`).toEqual([{ one: 1 }]);
  });

  test('takes over the lock of a process that is gone, or whose number was given to another (invariant 32)', async () => {
    const locked = join(folder, 'locked');
    mkdirSync(locked);
    // Our own number, but not our start time; and a number that no process has.
    for (const claim of [`engine-${process.pid}-1.lock`, 'engine-4194305-1.lock']) writeFileSync(join(locked, claim), '');
    const lock = await lockFolder(locked);
    expect(readdirSync(locked)).toHaveLength(1);
    await lock[Symbol.asyncDispose]();
    expect(readdirSync(locked)).toEqual([]);
  });

  test('closes cleanly and opens where it was, also under a name that no socket can bear', async () => {
    const request = command('closed', 'none');
    {
      await using database = await openDatabase({ kind: 'embedded', dataDir });
      const store = await PostgresEventStore.open(database);
      await store.append(request);
      await store.close();
    }
    expect(readdirSync(dataDir)).toEqual(['pglite']);
    const moved = join(folder, 'a-long-name'.repeat(12));
    renameSync(dataDir, moved);
    await using database = await openDatabase({ kind: 'embedded', dataDir: moved });
    const store = await PostgresEventStore.open(database);
    expect((await readAll(store)).at(-1)?.id).toBe(request.events[0]?.id);
    await store.close();
  });
});

describe('PGlite at work', () => {
  let folder: string;
  let database: Database;
  let store: PostgresEventStore;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tutor-embedded-'));
    database = await openDatabase({ kind: 'embedded', dataDir: folder });
    store = await PostgresEventStore.open(database);
  });
  afterAll(async () => {
    await store.close();
    await database[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('can be entered by its owner only', () => {
    expect(statSync(join(folder, '.s.PGSQL.5432')).mode & 0o022).toBe(0);
    expect(statSync(folder).mode & 0o077).toBe(0);
  });

  test('is shared by appends and transactions of the read model', async () => {
    const writers = startWriters(store, 'shared', 4);
    for (let round = 0; round < 10; round += 1) {
      await database.sql.begin(async (tx) => {
        await tx`select 1`;
        await tx`select 2`;
      });
    }
    const undone = database.sql.begin(async (tx) => {
      await tx`create table es_never (id int)`;
      throw new Error('undo');
    });
    await expect(undone).rejects.toThrow('undo');
    await writers.until(40);
    await writers.stop();
    expect(await database.sql`select from pg_class where relname = 'es_never'`).toHaveLength(0);
    await expectSoundLog(store, writers.acked);
  });

  test('leaves the event loop free while it computes', async () => {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const started = performance.now();
    await database.sql`select count(*) from generate_series(1, 3000000)`;
    const workedMs = performance.now() - started;
    delay.disable();
    expect(delay.max / 1e6).toBeLessThan(workedMs / 2);
  });

  test('commits to the disk, once per append (invariant 5)', async () => {
    // A copy, opened in this thread to count what it asks of the disk.
    const copy = join(folder, 'copy');
    await database.sql`checkpoint`;
    cpSync(join(folder, 'pglite'), copy, { recursive: true });
    let synced = 0;
    const db = await openDurablePglite(copy, (fd) => {
      fsyncSync(fd);
      synced += 1;
    });
    await db.query(`select count(*) from es_event`);
    const before = synced;
    for (const id of [1, 2, 3]) {
      const one = { ordinal: 0, command_id: randomUUID(), stream: `session-sync-${id}`, fingerprint: '', expected: 0 };
      const event = { ordinal: 0, index: 0, id: randomUUID(), type: 'T', version: 1, payload: '{}', meta: '{}', content: 'ab' };
      await db.query('select * from es_append($1, $2)', [JSON.stringify([one]), JSON.stringify([event])]);
    }
    expect(synced - before).toBeGreaterThanOrEqual(3);
    await db.close();
  });
});

const smallDisk = mountSmallDisk(120);

describeWith(smallDisk !== null, 'a small disk to fill (needs root and mount)')('PGlite on a disk that fills up', () => {
  test('refuses with a typed error, and once there is room has what was answered, and goes on (invariant 27)', async () => {
    using disk = smallDisk ?? expect.fail();
    const dataDir = join(disk.folder, 'data');
    await putDatabaseInto(dataDir);
    const ballast = join(disk.folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(20 * 1024 * 1024));
    const acked: ReturnType<typeof command>[] = [];
    const fillUp = async (store: PostgresEventStore) => {
      for (let i = 0; i < 400; i += 1) {
        const request = command(`full-${i}`, 'none', [draft({ filler: randomBytes(400_000).toString('base64') })]);
        try {
          await store.append(request);
          acked.push(request);
        } catch (error) {
          return { error, request };
        }
      }
      throw new Error('the disk did not fill up');
    };
    const first = await openDatabase({ kind: 'embedded', dataDir });
    const full = await PostgresEventStore.open(first);
    const { error, request } = await fillUp(full);
    expect(error).toMatchObject({ name: 'StoreUnavailable' });
    rmSync(ballast);
    // The one that failed, again: its outcome was unknown.
    expect((await full.append(request)).status).toMatch(/^(appended|duplicate)$/);
    await full.close();
    await first[Symbol.asyncDispose]();
    await using database = await openDatabase({ kind: 'embedded', dataDir });
    const store = await PostgresEventStore.open(database);
    expect((await store.append(request)).status).toBe('duplicate');
    expect(await expectSoundLog(store, [...acked, request])).toHaveLength(acked.length + 1);
    await store.close();
  });
});
