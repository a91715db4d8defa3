import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { StoreUnavailable } from '../../packages/server/src/app/ports.ts';
import { KurrentEventStore } from '../../packages/server/src/store/kurrent/kurrent-event-store.ts';
import { LogDiverged } from '../../packages/server/src/store/kurrent/kurrent-index.ts';
import { ForeignEvent } from '../../packages/server/src/store/kurrent/wire-event.ts';
import { command, readAll, stream } from '../support/drafts.ts';
import { type AppendFate, KurrentStandIn } from '../support/kurrent-stand-in.ts';
import { anywhere, often } from '../support/long.ts';
import { type OpenKurrentStore, openDatabaseStore, openKurrentStore } from '../support/stores.ts';
import { expectSoundLog, startWriters } from '../support/writers.ts';

const whole = { after: 0, limit: 100 };
const onDefect = () => undefined;
/** Short, since much is never answered here. */
const answerMs = 700;

// Faults are the stand-in's: a real server has none to order.
describe.skipIf(process.env['KURRENTDB_URL'] !== undefined)('the event log in a KurrentDB that fails', () => {
  let open: OpenKurrentStore;
  let server: KurrentStandIn;
  beforeAll(async () => {
    open = await openKurrentStore(answerMs);
    if (open.standIn === null) throw new Error('this suite has a stand-in');
    server = open.standIn;
  });
  afterEach(() => {
    server.fate = () => 'answered';
  });
  afterAll(async () => {
    await open[Symbol.asyncDispose]();
  });

  /** The next append meets this, those after it nothing. */
  function once(fate: AppendFate) {
    const fates = [fate];
    server.fate = () => fates.shift() ?? 'answered';
  }

  test.each(['dropped_before', 'dropped_after', 'lost', 'unanswered'] as const)(
    'an append that is %s is in the log once, and its caller knows it (invariants 5 and 12)',
    async (fate) => {
      once(fate);
      const request = command(`hit-${fate}`, 'none');
      expect((await open.store.append(request)).status).toMatch(/appended|duplicate/);
      expect(await open.store.readStream(request.stream, whole)).toHaveLength(1);
      expect((await open.store.append(request)).status).toBe('duplicate');
    },
  );

  test('nothing is answered as stored by a server that takes nothing, and the same command is stored once it does (invariant 12)', async () => {
    server.fate = () => 'dropped_before';
    const request = command('later', 'none');
    await expect(open.store.append(request)).rejects.toThrow(StoreUnavailable);
    server.fate = () => 'answered';
    expect((await open.store.append(request)).status).toBe('appended');
  });

  test('subscriptions that are dropped come back: nothing is missed or told twice (invariants 14 and 15)', async () => {
    const before = server.subscribed;
    const writers = startWriters(open.store, 'dropped', 4);
    for (let drops = 0; drops < often({ few: 4, long: 50 }); drops += 1) {
      await writers.until(writers.acked.length + anywhere({ least: 1, most: 20 }));
      server.dropSubscriptions();
    }
    await writers.until(writers.acked.length + 10);
    await writers.stop();
    await expectSoundLog(open.store, writers.acked);
    expect(server.subscribed).toBeGreaterThan(before);
  });

  test('a subscription that has gone silent is given up, and what was stored meanwhile is found', async () => {
    await open.store.append(command('first', 'none'));
    server.muted = true;
    const appended = open.store.append(command('unheard', 'none'));
    await pause(200);
    server.muted = false;
    expect((await appended).status).toMatch(/appended|duplicate/);
    expect((await readAll(open.store)).slice(-2).map(({ stream: name }) => name)).toEqual([stream('first'), stream('unheard')]);
  });

  test('appends that meet their fate at random: nothing lost, doubled or skipped (invariants 1 to 5)', async () => {
    let met = 0;
    const fates = ['dropped_before', 'dropped_after'] as const;
    server.fate = () => {
      if (anywhere({ least: 1, most: 8 }) > 1) return 'answered';
      met += 1;
      return fates[met % fates.length] ?? 'answered';
    };
    const writers = startWriters(open.store, 'fate', 4);
    const wanted = often({ few: 6, long: 60 });
    await expect.poll(() => met, { timeout: 120_000 }).toBeGreaterThanOrEqual(wanted);
    server.fate = () => 'answered';
    await writers.stop();
    await expectSoundLog(open.store, writers.acked);
  });

  test('a node that died is followed by one that goes on with its index; one with an empty index makes the same', async () => {
    const writers = startWriters(open.store, 'nodes', 3);
    await writers.until(30);
    await writers.stop();
    await using again = await reopened();
    await using fresh = await open.beside();
    const before = await readAll(open.store);
    expect(await readAll(again.store)).toEqual(before);
    expect(await readAll(fresh.store)).toEqual(before);
    await fresh.store.append(command('from-beside', 'none'));
    await expect.poll(() => open.store.head()).toBe(before.length + 1);
    await expectSoundLog(open.store, writers.acked);
  });

  test('two nodes at one stream: one of them wins each revision, and both see one chain (invariant 3)', async () => {
    await using beside = await open.beside();
    const results = [];
    for (let revision = 0; revision < 10; revision += 1) {
      const expected = revision === 0 ? 'none' : revision;
      results.push(...(await Promise.all([open.store, beside.store].map((store) => store.append(command('both', expected))))));
    }
    expect(results.filter(({ status }) => status === 'appended')).toHaveLength(10);
    expect(results.filter(({ status }) => status === 'conflict')).toHaveLength(10);
    await beside.store.head();
    await expectSoundLog(beside.store, []);
    expect(await readAll(beside.store)).toEqual(await readAll(open.store));
  });

  test('more subscribers than a connection has streams are all told, by the one subscription of their node (invariant 19)', async () => {
    const before = server.subscribed;
    const waiting = Array.from({ length: 500 }, () => Promise.withResolvers<void>());
    for (const { resolve } of waiting) open.store.onAppended(resolve);
    await open.store.append(command('many', 'none'));
    await Promise.all(waiting.map(({ promise }) => promise));
    expect(server.subscribed).toBe(before);
  });

  test('an index of another log is refused by name', async () => {
    await open.store.append(command('here', 'none'));
    await using other = await KurrentStandIn.start();
    await expect(KurrentEventStore.open({ url: other.url, sql: open.database.sql, onDefect })).rejects.toThrow(LogDiverged);
  });

  test('an event of another program under a name of ours stops the node, which says so once', async () => {
    await using foreign = await KurrentStandIn.start();
    foreign.log.append('session-of-theirs', 'any', [
      { id: randomUUID(), type: 'Theirs', contentType: 'application/json', data: Buffer.from('{}'), metadata: Buffer.from('{}') },
    ]);
    await using database = await openDatabaseStore('PGlite');
    const defects: unknown[] = [];
    const opening = KurrentEventStore.open({
      url: foreign.url,
      sql: database.database.sql,
      answerMs,
      onDefect: (defect) => defects.push(defect),
    });
    await expect(opening).rejects.toThrow(StoreUnavailable);
    expect(defects).toEqual([new ForeignEvent('session-of-theirs')]);
  });

  test('a server that cannot be reached is said to be so, in time', async () => {
    await using database = await openDatabaseStore('PGlite');
    const nowhere = 'kurrentdb://127.0.0.1:1?tls=false';
    await expect(KurrentEventStore.open({ url: nowhere, sql: database.database.sql, answerMs, onDefect })).rejects.toThrow(
      StoreUnavailable,
    );
  });

  async function reopened() {
    const store = await KurrentEventStore.open({ url: server.url, sql: open.database.sql, onDefect });
    return { store, [Symbol.asyncDispose]: () => store.close() };
  }
});
