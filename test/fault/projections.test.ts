import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EventStore, StoreUnavailable } from '../../packages/server/src/app/ports.ts';
import type { ProjectionStore } from '../../packages/server/src/app/projection-store.ts';
import { sessionsProjection } from '../../packages/server/src/app/projections/sessions.ts';
import { type DatabaseOptions, openDatabase } from '../../packages/server/src/store/database.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import { PostgresProjectionStore } from '../../packages/server/src/store/projection-store.ts';
import { PostgresReadModel } from '../../packages/server/src/store/read-model.ts';
import { append, wholeLog } from '../support/histories.ts';
import { anywhere, often } from '../support/long.ts';
import { putDatabaseInto } from '../support/made-database.ts';
import { startPostgres } from '../support/postgres.ts';
import { counting, created, expectedRows, generationsOf, school, servedRows, startProjector, ticks } from '../support/projecting.ts';
import { type DatabaseKind, databaseKinds, describeOn, type OpenDatabaseStore, openDatabaseStore } from '../support/stores.ts';

const childFile = new URL('../support/projecting-child.ts', import.meta.url).pathname;

/** About every third call of these fails, before or after it had its effect; the same ones each time. */
function failing<T extends object>(target: T, when: 'before' | 'after', methods: readonly (keyof T)[]): T {
  let dice = 7;
  return new Proxy(target, {
    get(_, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (!methods.some((method) => method === name)) return member.bind(target);
      return async (...args: unknown[]) => {
        dice = (dice * 48_271) % 2_147_483_647;
        const fails = dice % 3 === 0;
        if (fails && when === 'before') throw new StoreUnavailable('a failure before');
        const result = await Reflect.apply(member, target, args);
        if (fails) throw new StoreUnavailable('a failure after');
        return result;
      };
    },
  });
}

for (const kind of databaseKinds)
  describeOn(kind)(`projections on ${kind} whose world fails`, () => {
    let open: OpenDatabaseStore;
    let events: EventStore;
    let store: ProjectionStore;
    beforeAll(async () => {
      open = await openDatabaseStore(kind);
      events = open.store;
      store = new PostgresProjectionStore(open.database);
      await append(events, ticks(90));
    });
    afterAll(async () => {
      await open[Symbol.asyncDispose]();
    });

    test.each(['before', 'after'] as const)('%s it did what was asked: each event counts once (invariant 22)', async (when) => {
      const name = `failing ${when}`;
      const projector = await startProjector({
        events: failing(events, when, ['readAll']),
        store: failing(store, when, ['load', 'commit', 'claim', 'sweep']),
        projections: [counting(name)],
        batchSize: 40,
      });
      await projector.close();
      expect(await servedRows(open.database.sql, name)).toEqual(expectedRows(counting(name), await wholeLog(events)));
    });

    test('two nodes that take each other’s lanes count each event once (invariant 23)', async () => {
      const { sql } = open.database;
      const projections = [counting('contested'), counting('contested too')];
      const [one, two] = await Promise.all(
        ['node-1', 'node-2'].map((owner) => startProjector({ events, store, projections, owner, batchSize: 3 })),
      );
      let position = 0;
      for (let round = 0; round < 12; round += 1) {
        await sql`update projection_checkpoint set lease_until = clock_timestamp() - interval '1 ms' where projection like 'contested%'`;
        const taken = store.claim(projections, { owner: round % 2 === 0 ? 'node-1' : 'node-2', leaseMs: 1 });
        position = await append(events, ticks(10));
        await taken;
      }
      await Promise.all([one?.waitFor(position), two?.waitFor(position)]);
      const log = await wholeLog(events);
      for (const projection of projections) expect(await servedRows(sql, projection.name)).toEqual(expectedRows(projection, log));
      await Promise.all([one?.close(), two?.close()]);
    });

    test('a node whose lane is taken between reading and folding takes the other’s rows for no poison (invariants 23 and 24)', async () => {
      const projections = [counting('overtaken')];
      let overtaken = false;
      const overtake = async () => {
        if (overtaken) return;
        overtaken = true;
        await store.release('node-1');
        const other = await startProjector({ events, store, projections, owner: 'node-2' });
        await other.close();
      };
      const slow: ProjectionStore = Object.assign(new PostgresProjectionStore(open.database), {
        load: (...wanted: Parameters<ProjectionStore['load']>) => overtake().then(() => store.load(...wanted)),
      });
      const projector = await startProjector({ events, store: slow, projections });
      await projector.waitFor(await append(events, ticks(10)));
      await projector.close();
      expect(await generationsOf(open.database.sql, 'overtaken')).toMatchObject([{ state: 'active', error: null }]);
      expect(await servedRows(open.database.sql, 'overtaken')).toEqual(expectedRows(counting('overtaken'), await wholeLog(events)));
    });

    test('readers never see a half-built generation, nor go back, while rebuilds and events go on (invariant 25)', async () => {
      const { sql } = open.database;
      const readModel = new PostgresReadModel(open.database);
      const projections = [sessionsProjection];
      const head = await append(
        events,
        Array.from({ length: 60 }, (_, i) => created(i)),
      );
      const [one, two] = await Promise.all(
        ['node-1', 'node-2'].map((owner) => startProjector({ events, store, projections, owner, batchSize: 20 })),
      );
      await one?.waitFor(head);

      let rebuilding = true;
      let made = 60;
      const seen: number[] = [];
      const writing = (async () => {
        while (rebuilding) await append(events, [created(made++)]);
      })();
      const reading = (async () => {
        while (rebuilding) {
          const page = await readModel.sessions(school, { limit: 200 });
          const rest = page.nextCursor === null ? [] : (await readModel.sessions(school, { limit: 200, cursor: page.nextCursor })).items;
          seen.push(page.items.length + rest.length);
        }
      })();
      for (const generation of [2, 3]) {
        await (generation % 2 === 0 ? one : two)?.rebuild('sessions');
        await expect.poll(() => generationsOf(sql, 'sessions'), { timeout: 20_000 }).toMatchObject([{ generation, state: 'active' }]);
      }
      rebuilding = false;
      await Promise.all([writing, reading]);

      expect(seen.length).toBeGreaterThan(3);
      expect(Math.min(...seen)).toBeGreaterThanOrEqual(60);
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      await two?.waitFor(await events.head());
      expect(await servedRows(sql, 'sessions')).toEqual(expectedRows(sessionsProjection, await wholeLog(events)));
      await Promise.all([one?.close(), two?.close()]);
    });
  });

/** A node in a process of its own, which says a line for each batch. */
class ProjectingChild {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(options: DatabaseOptions, owner: string) {
    const where = options.kind === 'embedded' ? options.dataDir : options.url;
    const child = spawn(process.execPath, [childFile, options.kind, where, owner], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Reads on until it has said one of these so many times. */
  async hasSaid(words: readonly string[], times: number): Promise<void> {
    for (let said = 0; said < times; ) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error('the child is gone');
      if (words.includes(value)) said += 1;
    }
  }

  send(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const exited = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await exited;
  }
}

/** A database that several processes use, one after the other or at once. */
async function place(kind: DatabaseKind, cleanUp: AsyncDisposableStack): Promise<DatabaseOptions> {
  if (kind === 'PostgreSQL') return { kind: 'server', url: cleanUp.use(await startPostgres()).url };
  const dataDir = mkdtempSync(join(tmpdir(), 'tutor-projecting-'));
  cleanUp.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  await putDatabaseInto(dataDir);
  return { kind: 'embedded', dataDir };
}

async function opened(options: DatabaseOptions) {
  await using cleanUp = new AsyncDisposableStack();
  const database = cleanUp.use(await openDatabase(options));
  const events = await PostgresEventStore.open(database);
  cleanUp.defer(() => events.close());
  const resources = cleanUp.move();
  const store = new PostgresProjectionStore(database);
  return { sql: database.sql, events, store, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** Of a log that is long enough to die in so often. Opening the embedded database takes its time. */
const log = often({ few: 900, long: 9_000 });
const deaths = { PGlite: often({ few: 1, long: 50 }), PostgreSQL: often({ few: 2, long: 50 }) };

for (const kind of databaseKinds)
  describeOn(kind)(`a node that projects on ${kind}`, () => {
    test('killed in the middle, again and again: each event counts once (invariant 22)', async () => {
      await using cleanUp = new AsyncDisposableStack();
      const options = await place(kind, cleanUp);
      {
        await using written = await opened(options);
        await append(written.events, ticks(log));
      }
      for (let death = 0; death < deaths[kind]; death += 1) {
        const child = new ProjectingChild(options, 'node-1');
        await child.hasSaid(['committed'], anywhere({ least: 1, most: 9 }));
        await pause(anywhere({ least: 0, most: 10 }));
        await child.kill();
      }
      await using rest = await opened(options);
      const [killed] = await generationsOf(rest.sql, 'killed');
      expect(killed?.position).toBeGreaterThanOrEqual(3 * deaths[kind]);
      expect(killed?.position).toBeLessThan(log);
      const projector = await startProjector({ ...rest, projections: [counting('killed')] });
      await projector.close();
      expect(await servedRows(rest.sql, 'killed')).toEqual(expectedRows(counting('killed'), await wholeLog(rest.events)));
    });
  });

describeOn('PostgreSQL')('a node that sleeps', () => {
  test('through its lease finds its lanes taken, and changes nothing when it wakes (invariant 23)', async () => {
    await using cleanUp = new AsyncDisposableStack();
    const options = await place('PostgreSQL', cleanUp);
    await using awake = await opened(options);
    await append(awake.events, ticks(900));
    const sleeper = new ProjectingChild(options, 'sleeper');
    cleanUp.defer(() => sleeper.kill());
    await sleeper.hasSaid(['committed'], 5);
    sleeper.send('SIGSTOP');
    await awake.sql`update projection_checkpoint set lease_until = clock_timestamp() - interval '1 ms'`;
    const [left] = await generationsOf(awake.sql, 'killed');
    expect(left?.position).toBeLessThan(900);
    const projector = await startProjector({ ...awake, projections: [counting('killed')], owner: 'awake' });
    sleeper.send('SIGCONT');
    await sleeper.hasSaid(['fenced', 'claimed 0'], 1);
    await projector.waitFor(await append(awake.events, ticks(30)));
    await projector.close();
    expect(await servedRows(awake.sql, 'killed')).toEqual(expectedRows(counting('killed'), await wholeLog(awake.events)));
  });
});
