import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Seal } from '@virtual-tutor/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonicalSeal, isIncluded } from '../../packages/server/src/app/seal.ts';
import { Seals } from '../../packages/server/src/app/seals.ts';
import { verifyLog } from '../../packages/server/src/app/verify-log.ts';
import { openDatabase } from '../../packages/server/src/store/database.ts';
import { scanLog } from '../../packages/server/src/store/log-scan.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import { SealFolder } from '../../packages/server/src/store/seal-folder.ts';
import { PostgresSealStore } from '../../packages/server/src/store/seal-store.ts';
import { SealCommand } from '../../packages/server/src/workers/seal-command.ts';
import { readAll } from '../support/drafts.ts';
import { anywhere, often } from '../support/long.ts';
import { describeWith } from '../support/loud-skip.ts';
import { type PostgresServer, postgresAvailable, startPostgres } from '../support/postgres.ts';
import { exportedSeals, type SealedLog, sealsOf, startSealing, temporaryFolder, verdictOn, writeEvents } from '../support/sealed-log.ts';
import { openDatabaseStore } from '../support/stores.ts';

const child = new URL('../support/sealing-child.ts', import.meta.url).pathname;

/** A node that is killed when it has said so many things; resolves when it is gone. */
function killedAfter(lines: number, ...args: readonly string[]): Promise<void> {
  const node = spawn(process.execPath, [child, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = 0;
  createInterface(node.stdout).on('line', () => {
    said += 1;
    if (said === lines) node.kill('SIGKILL');
  });
  return new Promise((resolve) => node.once('close', () => resolve()));
}

describeWith(postgresAvailable, 'PostgreSQL')('sealing', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  async function openLog(name: string) {
    await using cleanUp = new AsyncDisposableStack();
    const url = await server.createDatabase(name);
    const database = cleanUp.use(await openDatabase({ kind: 'server', url }));
    const events = await PostgresEventStore.open(database);
    cleanUp.defer(() => events.close());
    const folder = cleanUp.use(temporaryFolder());
    const resources = cleanUp.move();
    return { url, log: { database, events }, folder: folder.path, [Symbol.asyncDispose]: () => resources.disposeAsync() };
  }

  async function expectAllSealed(log: SealedLog, folder: string, events: number): Promise<void> {
    await expect.poll(async () => (await verdictOn(log, folder)) satisfies object, { timeout: 20_000 }).toMatchObject({ sealed: events });
    await expect.poll(() => exportedSeals(folder), { timeout: 20_000 }).toEqual(await sealsOf(log));
    expect(await verdictOn(log, folder)).toMatchObject({ verdict: 'intact', events });
  }

  test('killed at any point, with its key changing all the time, leaves no gap, no overlap and no second seal of a number', async () => {
    await using opened = await openLog('killed');
    const { url, log, folder } = opened;
    let events = 0;
    for (let life = 0; life < often({ few: 4, long: 60 }); life += 1) {
      await writeEvents(log.events, 11, `life-${life}`);
      events += 11;
      await killedAfter(anywhere({ least: 1, most: 45 }), url, folder);
    }
    {
      await using _sealing = startSealing(log, folder, { everyEvents: 5, everyMs: 50 });
      await expectAllSealed(log, folder, events);
    }
    const seen = readFileSync(join(folder, 'seen'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => Seal.parse(JSON.parse(line)));
    const byNumber = Map.groupBy(seen, ({ sealNo }) => sealNo);
    for (const seals of byNumber.values()) expect(new Set(seals.map(canonicalSeal)).size).toBe(1);
    expect(byNumber.size).toBeGreaterThan(5);
    const keys = (await sealsOf(log)).flatMap((seal) => (seal.kind === 'events' ? [] : [seal.publicKey]));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('by two nodes with one key makes one chain, and each has all of it', async () => {
    await using opened = await openLog('two');
    const { log, folder } = opened;
    using second = temporaryFolder();
    await using one = startSealing(log, folder, { everyEvents: 3 });
    await expect.poll(() => existsSync(join(folder, 'seal.key'))).toBe(true);
    copyFileSync(join(folder, 'seal.key'), join(second.path, 'seal.key'));
    await using _two = startSealing(log, second.path, { everyEvents: 3 });
    await Promise.all([writeEvents(log.events, 30, 'a'), writeEvents(log.events, 30, 'b')]);
    await expectAllSealed(log, folder, 60);
    await expect.poll(() => exportedSeals(second.path), { timeout: 10_000 }).toEqual(await sealsOf(log));
    expect(one.health()).toMatchObject({ status: 'ok', reason: null });
  });

  test('is left to the node whose key is in force, and the other one says when nobody seals', async () => {
    await using opened = await openLog('foreign');
    const { log, folder } = opened;
    using second = temporaryFolder();
    await using one = startSealing(log, folder, { everyMs: 20 });
    await writeEvents(log.events, 3);
    await expectAllSealed(log, folder, 3);
    await using two = startSealing(log, second.path, { everyMs: 20 });
    await expect.poll(() => exportedSeals(second.path)).toEqual(await sealsOf(log));
    expect(await two.rotateKey()).toMatchObject({ refused: expect.stringContaining('another key') });
    await one.close();
    await writeEvents(log.events, 3, 'later');
    await expect.poll(() => two.health().reason, { timeout: 10_000 }).toContain('seal.key');
    expect((await sealsOf(log)).length).toBe((await exportedSeals(folder)).length);
  });

  test('does not wait for a seal to be full', async () => {
    await using opened = await openLog('slow');
    const { log, folder } = opened;
    await using _sealing = startSealing(log, folder, { everyEvents: 1_000, everyMs: 100 });
    await writeEvents(log.events, 4);
    await expectAllSealed(log, folder, 4);
  });

  test('goes on during a verification, which finds nothing wrong', async () => {
    await using opened = await openLog('meanwhile');
    const { log, folder } = opened;
    await using _sealing = startSealing(log, folder);
    await writeEvents(log.events, 20);
    await expectAllSealed(log, folder, 20);
    const store = new PostgresSealStore(log.database);
    // As soon as all seals of the database were read there is one more, and it has left.
    const seals: Pick<PostgresSealStore, 'read'> = {
      read: async (range) => {
        const page = await store.read(range);
        if (page.length > 0) return page;
        await writeEvents(log.events, 10, 'meanwhile');
        await expect.poll(() => exportedSeals(folder), { timeout: 10_000 }).toHaveLength(4);
        return page;
      },
    };
    const verdicts = [];
    const exported = new SealFolder(join(folder, 'seals'));
    for await (const said of verifyLog({ scan: scanLog(log.database), seals, exported }, [])) verdicts.push(said);
    expect(verdicts).toMatchObject([{ verdict: 'intact', events: 30, sealed: 20 }]);
  });

  test('proves each event that it covers, and says which seals a stream is under', async () => {
    await using opened = await openLog('proven');
    const { log, folder } = opened;
    {
      await using _sealing = startSealing(log, folder, { everyEvents: 7 });
      await writeEvents(log.events, 45);
      await expect.poll(async () => (await sealsOf(log)).length, { timeout: 10_000 }).toBe(7);
    }
    const store = new PostgresSealStore(log.database);
    const seals = new Seals({ events: log.events, store, exported: null, scan: scanLog(log.database), sealing: null });
    const events = await readAll(log.events);
    const { proofs, seals: over } = await seals.prove(events.map(({ position }) => position).reverse());
    expect(proofs.map(({ ordinal }) => ordinal)).toEqual(events.slice(0, 42).map(({ position }) => position));
    for (const proof of proofs) {
      const seal = over.find(({ sealNo }) => sealNo === proof.sealNo) ?? expect.fail();
      expect(isIncluded(events[proof.ordinal - 1]?.hash ?? '', proof, seal)).toBe(true);
      expect(isIncluded(events[proof.ordinal]?.hash ?? '', proof, seal)).toBe(false);
    }
    // Every sixth event is of this stream: at 1, 7, 13, 19, 25, 31, 37 and 43.
    const { seals: covering, unsealedFrom } = await seals.coverage(events[0]?.stream ?? expect.fail());
    expect(covering.map(({ sealNo, fromRevision, toRevision }) => [sealNo, fromRevision, toRevision])).toEqual([
      [1, 1, 2],
      [2, 3, 3],
      [3, 4, 4],
      [4, 5, 5],
      [5, 6, 6],
      [6, 7, 7],
    ]);
    expect(unsealedFrom).toBe(8);
    expect((await seals.prove([44])).proofs).toEqual([]);
  });

  test('goes on while seals cannot be handed over, says so, and hands all over when they can', async () => {
    await using opened = await openLog('stuck');
    const { log, folder } = opened;
    await using sealing = startSealing(log, folder);
    await expect.poll(() => exportedSeals(folder), { timeout: 10_000 }).toHaveLength(1);
    // A file where the folder was.
    renameSync(join(folder, 'seals'), join(folder, 'away'));
    writeFileSync(join(folder, 'seals'), '');
    await writeEvents(log.events, 30);
    await expect.poll(async () => (await sealsOf(log)).length, { timeout: 10_000 }).toBe(4);
    await expect.poll(() => sealing.health(), { timeout: 10_000 }).toMatchObject({ status: 'degraded' });
    expect(sealing.health().reason).toContain('to be handed over');
    rmSync(join(folder, 'seals'));
    renameSync(join(folder, 'away'), join(folder, 'seals'));
    await expectAllSealed(log, folder, 30);
    await expect.poll(() => sealing.health()).toMatchObject({ status: 'ok', reason: null });
  });

  test('signs no second seal of a number when database and log were set back', async () => {
    await using opened = await openLog('back');
    const { log, folder } = opened;
    await writeEvents(log.events, 30);
    {
      await using _sealing = startSealing(log, folder);
      await expectAllSealed(log, folder, 30);
    }
    const left = await exportedSeals(folder);
    await log.database.sql.unsafe(`set session_replication_role = replica; delete from es_event where position > 20;
      delete from es_seal where seal_no > 2; set session_replication_role = origin`);
    await writeEvents(log.events, 20, 'other');
    await using sealing = startSealing(log, folder);
    await expect.poll(() => sealing.health().reason, { timeout: 10_000 }).toContain('the log was set back');
    expect(await sealsOf(log)).toHaveLength(3);
    expect(await exportedSeals(folder)).toEqual(left);
  });
});

describe('a command that gets seals', () => {
  test('gets each, in order, again until it takes it, and not again after a restart', async () => {
    await using open = await openDatabaseStore('PGlite');
    const log = { database: open.database, events: open.store };
    using folder = temporaryFolder();
    const inbox = join(folder.path, 'inbox');
    const command = `test -d ${inbox} && cat > ${inbox}/$SEAL_NO.json && echo $SEAL_NO >> ${inbox}/order`;
    const outlets = () => [new SealCommand({ command, progressFile: join(folder.path, 'handed-over.json') })];
    await writeEvents(log.events, 30);
    {
      await using sealing = startSealing(log, folder.path, { outlets: outlets() });
      await expect.poll(() => sealing.health().reason, { timeout: 10_000 }).toContain('SEALS_COMMAND');
      mkdirSync(inbox);
      await expect.poll(() => sealing.health(), { timeout: 10_000 }).toMatchObject({ status: 'ok', reason: null });
    }
    {
      await using _sealing = startSealing(log, folder.path, { outlets: outlets() });
      await writeEvents(log.events, 10, 'later');
      const order = () => readFileSync(join(inbox, 'order'), 'utf8').trim().split('\n');
      await expect.poll(order, { timeout: 10_000 }).toEqual(['0', '1', '2', '3', '4']);
    }
    const kept = (await sealsOf(log)).map((seal) => `${canonicalSeal(seal)}\n`);
    expect(kept.map((_, sealNo) => readFileSync(join(inbox, `${sealNo}.json`), 'utf8'))).toEqual(kept);
  });
});

describe('a folder of seals', () => {
  test('keeps what it has: another seal of a number is refused', async () => {
    await using open = await openDatabaseStore('PGlite');
    const log = { database: open.database, events: open.store };
    using folder = temporaryFolder();
    await using _sealing = startSealing(log, folder.path);
    await expect.poll(() => exportedSeals(folder.path), { timeout: 10_000 }).toHaveLength(1);
    const [root] = await exportedSeals(folder.path);
    const other = Seal.parse({ ...root, sealedAt: '2020-01-01T00:00:00.000Z' });
    const taking = new SealFolder(join(folder.path, 'seals')).take(other, { hashes: async () => null });
    await expect(taking).rejects.toThrow('another seal 0 has left');
  });
});
