import { streams, TutorId } from '@virtual-tutor/schemas';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventStore } from '../../packages/server/src/app/ports.ts';
import type { ProjectorOptions } from '../../packages/server/src/app/project.ts';
import type { Lane } from '../../packages/server/src/app/projection-store.ts';
import { PostgresProjectionStore } from '../../packages/server/src/store/projection-store.ts';
import { append, wholeLog } from '../support/histories.ts';
import { counting, expectedRows, generationsOf, school, servedRows, startProjector, tick, ticks } from '../support/projecting.ts';
import { databaseKinds, describeOn, type OpenDatabaseStore, openDatabaseStore } from '../support/stores.ts';

const leaseMs = 5_000;
const patience = { timeout: 20_000 };

for (const kind of databaseKinds)
  describeOn(kind)(`running projections on ${kind}`, () => {
    let open: OpenDatabaseStore;
    let events: EventStore;
    let sql: Sql;
    let store: PostgresProjectionStore;
    beforeAll(async () => {
      open = await openDatabaseStore(kind);
      events = open.store;
      sql = open.database.sql;
      store = new PostgresProjectionStore(open.database);
      await append(events, ticks(20));
    });
    afterAll(async () => {
      await open[Symbol.asyncDispose]();
    });

    /** Takes a lane without a projector around it. */
    async function claimed(name: string, owner: string): Promise<Lane> {
      await store.prepare([counting(name)]);
      const [lane] = await store.claim([counting(name)], { owner, leaseMs });
      if (lane === undefined) throw new Error('nothing to claim');
      return lane;
    }

    test('it holds all that is in the log once it has started, and what comes later once one has waited', async () => {
      const projection = counting('started');
      await using projector = await disposable({ projections: [projection] });
      expect(await servedRows(sql, 'started')).toEqual(expectedRows(projection, await wholeLog(events)));
      await projector.waitFor(await append(events, ticks(7)));
      expect(await servedRows(sql, 'started')).toEqual(expectedRows(projection, await wholeLog(events)));
      expect(await projector.list()).toEqual([
        { name: 'started', generation: 1, state: 'active', position: await events.head(), lag: 0, error: null },
      ]);
    });

    test('a node that runs nothing waits for the one that does', async () => {
      await using _one = await disposable({ projections: [counting('waited for')] });
      await using other = await disposable({ projections: [counting('waited for')], owner: 'node-2' });
      for (let i = 0; i < 5; i += 1) {
        const position = await append(events, ticks(3));
        await Promise.all(Array.from({ length: 20 }, () => other.waitFor(position)));
        expect((await generationsOf(sql, 'waited for'))[0]?.position).toBeGreaterThanOrEqual(position);
      }
    });

    test('whoever waits when the engine stops is told so', async () => {
      const projector = await startProjector({ events, store, projections: [counting('stopped')] });
      const waiting = projector.waitFor((await events.head()) + 1);
      await Promise.all([expect(waiting).rejects.toThrow('shutting down'), projector.close()]);
      await expect(projector.waitFor((await events.head()) + 1)).rejects.toThrow('shutting down');
    });

    test('a lane is one node’s until its lease is over or it lets go (invariant 23)', async () => {
      const folds = [counting('owned')];
      const first = await claimed('owned', 'node-1');
      expect(await store.claim(folds, { owner: 'node-2', leaseMs })).toEqual([]);
      await store.release('node-1');
      const [second] = await store.claim(folds, { owner: 'node-2', leaseMs });
      expect(second?.epoch).toBeGreaterThan(first.epoch);
      await sql`update projection_checkpoint set lease_until = clock_timestamp() - interval '1 ms' where projection = 'owned'`;
      expect(await store.claim(folds, { owner: 'node-3', leaseMs })).toHaveLength(1);
    });

    test('an owner that slept through its lease changes nothing (invariant 23)', async () => {
      const slow = await claimed('fenced', 'node-1');
      await sql`update projection_checkpoint set lease_until = clock_timestamp() - interval '1 ms' where projection = 'fenced'`;
      const quick = await claimed('fenced', 'node-2');
      const row = (count: number) => ({ tenantId: 'school', parent: 's', status: 'active', sort: 1, count });
      expect(await store.commit([{ lane: slow, position: 3, rows: new Map([['s', row(3)]]) }], leaseMs)).toEqual({ status: 'fenced' });
      expect(await servedRows(sql, 'fenced')).toEqual(new Map());
      expect(await store.commit([{ lane: quick, position: 2, rows: new Map([['s', row(2)]]) }], leaseMs)).toEqual({ status: 'committed' });
      // The same batch again, as after an answer that was lost.
      expect(await store.commit([{ lane: quick, position: 2, rows: new Map([['s', row(9)]]) }], leaseMs)).toEqual({ status: 'fenced' });
      expect(await store.park(slow, 'too late')).toBe(false);
      expect(await store.swap(slow)).toBe(false);
      expect(await generationsOf(sql, 'fenced')).toEqual([{ generation: 1, state: 'active', position: 2, error: null }]);
      expect(await servedRows(sql, 'fenced')).toEqual(new Map([['s', row(2)]]));
    });

    test('one lost lane of a batch stops all of it', async () => {
      const [kept, lost] = [await claimed('kept', 'node-1'), await claimed('lost', 'node-1')];
      await store.rebuild(counting('lost'));
      await sql`update projection_checkpoint set epoch = epoch + 1 where projection = 'lost'`;
      const writes = [kept, lost].map((lane) => ({ lane, position: 1, rows: new Map() }));
      expect(await store.commit(writes, leaseMs)).toEqual({ status: 'fenced' });
      expect((await generationsOf(sql, 'kept'))[0]?.position).toBe(0);
    });

    test('an event that a fold cannot take parks its projection there, and no other (invariant 24)', async () => {
      const secret = 'what the event said';
      const poison = await append(events, [tick(1)]);
      const after = await append(events, ticks(10));
      const sound = counting('sound');
      const poisoned = counting('poisoned', {
        evolve: (row, event) => {
          if (event.stored.position === poison) throw new TypeError(secret);
          return sound.evolve(row, event);
        },
      });
      const defects: unknown[] = [];
      await using projector = await disposable({ projections: [poisoned, sound], onDefect: (error) => defects.push(error) });
      await projector.waitFor(after);
      const [parked, served] = await projector.list();
      expect(parked).toMatchObject({ name: 'poisoned', state: 'parked', position: poison - 1, error: `TypeError at position ${poison}` });
      expect(JSON.stringify(parked)).not.toContain(secret);
      expect(served).toMatchObject({ name: 'sound', state: 'active', lag: 0 });
      expect(defects).toHaveLength(1);
      // It serves what it has, up to the event.
      const log = await wholeLog(events);
      expect(await servedRows(sql, 'poisoned')).toEqual(expectedRows(sound, log.slice(0, poison - 1)));
      expect(await servedRows(sql, 'sound')).toEqual(expectedRows(sound, log));
    });

    test('a rebuild with a mended fold takes a parked projection up again (invariant 24)', async () => {
      await using projector = await disposable({ projections: [counting('poisoned')] });
      expect((await projector.list())[0]?.state).toBe('parked');
      await projector.rebuild('poisoned');
      await expect.poll(() => generationsOf(sql, 'poisoned'), patience).toMatchObject([{ generation: 2, state: 'active', error: null }]);
      await projector.waitFor(await append(events, ticks(3)));
      expect(await servedRows(sql, 'poisoned')).toEqual(expectedRows(counting('poisoned'), await wholeLog(events)));
    });

    test('a rebuild that cannot be finished leaves what is served alone', async () => {
      const mended = counting('half built');
      await (await startProjector({ events, store, projections: [mended] })).close();
      const broken = counting('half built', {
        evolve: (row, event) => {
          if (event.stored.position === 9) throw new TypeError('no');
          return mended.evolve(row, event);
        },
      });
      await using projector = await disposable({ projections: [broken], onDefect: () => {} });
      await projector.rebuild('half built');
      await expect.poll(async () => (await projector.list()).map(({ state }) => state), patience).toEqual(['active', 'parked']);
      expect(await servedRows(sql, 'half built')).toEqual(expectedRows(mended, await wholeLog(events)));
      expect(await projector.rebuild('nobody knows')).toBeNull();
    });

    test('rows that the database refuses are rolled back whole, and park their projection alone', async () => {
      await sql.unsafe(`
      create or replace function refuse_row() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
      create trigger refuse_row before insert on projection_row for each row
        when (new.projection = 'refused' and new.key like '%1') execute function refuse_row();`);
      const defects: unknown[] = [];
      await using projector = await disposable({
        projections: [counting('refused'), counting('accepted')],
        onDefect: (error) => defects.push(error),
      });
      expect(defects).toMatchObject([{ name: 'StatementRefused' }]);
      const [accepted, refused] = await projector.list();
      expect(accepted).toMatchObject({ state: 'active', lag: 0 });
      expect(refused).toMatchObject({ state: 'parked', position: 0 });
      expect(await servedRows(sql, 'refused')).toEqual(new Map());
      expect(await servedRows(sql, 'accepted')).toEqual(expectedRows(counting('accepted'), await wholeLog(events)));
    });

    test('a fold of a higher version is built beside the old one, and serves when the engine has started', async () => {
      const old = counting('versioned');
      await (await startProjector({ events, store, projections: [old] })).close();
      const doubled = counting('versioned', {
        version: 2,
        evolve: (row, event) => {
          const next = old.evolve(row === null ? null : { ...row, count: row.count / 2 }, event);
          return next === null ? null : { ...next, count: next.count * 2 };
        },
      });
      await using _projector = await disposable({ projections: [doubled], batchSize: 7 });
      expect(await servedRows(sql, 'versioned')).toEqual(expectedRows(doubled, await wholeLog(events)));
      expect(await generationsOf(sql, 'versioned')).toMatchObject([{ generation: 2, state: 'active' }]);
      await expect(startProjector({ events, store, projections: [old] })).rejects.toThrow('newer engine');
    });

    test('a generation is built by no other fold than its own', async () => {
      await claimed('own fold', 'node-1');
      await store.rebuild({ name: 'own fold', version: 2 });
      expect(await store.claim([{ name: 'own fold', version: 1 }], { owner: 'node-1', leaseMs })).toMatchObject([{ generation: 1 }]);
      expect(await store.claim([{ name: 'own fold', version: 2 }], { owner: 'node-1', leaseMs })).toMatchObject([{ generation: 2 }]);
    });

    test('a generation that is behind the one that serves does not take over: readers never go back (invariant 25)', async () => {
      const folds = [counting('ahead')];
      const serving = await claimed('ahead', 'node-1');
      await store.commit([{ lane: serving, position: 5, rows: new Map() }], leaseMs);
      await store.rebuild(counting('ahead'));
      const next = (await store.claim(folds, { owner: 'node-1', leaseMs })).find(({ state }) => state === 'rebuilding');
      if (next === undefined) throw new Error('nothing to rebuild');
      expect(await store.swap(next)).toBe(false);
      await store.commit([{ lane: next, position: 5, rows: new Map() }], leaseMs);
      expect(await store.swap(next)).toBe(true);
      expect(await generationsOf(sql, 'ahead')).toMatchObject([{ generation: 2, state: 'active', position: 5 }]);
    });

    test('rebuilds that are asked for one after the other share one reading of the log', async () => {
      await append(events, ticks(400));
      const projections = ['early', 'late'].map((name) => counting(name));
      await (await startProjector({ events, store, projections })).close();
      const head = await events.head();
      let read = 0;
      let began = 0;
      const counted: Pick<EventStore, 'readAll' | 'head' | 'onAppended'> = {
        head: () => events.head(),
        onAppended: (wake) => events.onAppended(wake),
        async readAll(range) {
          const page = await events.readAll(range);
          read += page.length;
          // Not by those that serve: they read at the head, from the first moment on.
          if (began === 0 && range.after >= 50 && range.after < head) {
            began = range.after + page.length;
            await projector.rebuild('late');
          }
          return page;
        },
      };
      await using projector = await disposable({ events: counted, projections, batchSize: 10 });
      await projector.rebuild('early');
      await expect
        .poll(async () => (await projector.list()).map(({ generation, state }) => [generation, state]), patience)
        .toEqual([
          [2, 'active'],
          [2, 'active'],
        ]);
      expect(began).toBeGreaterThan(0);
      // The log once, and once more up to where the second joined in; a page may have been under way.
      expect(read).toBeLessThanOrEqual(head + began + 30);
      const log = await wholeLog(events);
      for (const projection of projections) expect(await servedRows(sql, projection.name)).toEqual(expectedRows(projection, log));
    });

    test('rows of a generation that is gone are swept away, in bounded steps', async () => {
      const projector = await startProjector({ events, store, projections: [counting('swept')] });
      const rows = () => sql`select generation from projection_row where projection = 'swept' group by generation`;
      await projector.rebuild('swept');
      await expect.poll(async () => (await rows()).map(({ generation }) => generation), patience).toEqual([2]);
      await projector.close();
      await sql`insert into projection_row select 'swept', 1, 'dead ' || i, 't', 'p', 's', i, '{}' from generate_series(1, 10) i`;
      expect(await store.sweep(7)).toBe(7);
      expect(await store.sweep(7)).toBe(3);
      expect(await store.sweep(7)).toBe(0);
      expect(await servedRows(sql, 'swept')).toEqual(expectedRows(counting('swept'), await wholeLog(events)));
    });

    test('an event that cannot be read parks those that would read it, and no other (invariant 24)', async () => {
      const stream = streams.tutor(school, TutorId.parse('ada'));
      const position = await append(events, [
        { tenantId: school, stream, type: 'TutorConfigured', payload: { before: null, after: 'not settings' } },
        { tenantId: school, stream, type: 'TutorPromoted', payload: {} },
      ]);
      const projections = [counting('lessons'), counting('tutors too', { reads: 'tutor' })];
      await using projector = await disposable({ projections, onDefect: () => {} });
      expect(await projector.list()).toMatchObject([
        { name: 'lessons', state: 'active', position },
        { name: 'tutors too', state: 'parked', position: position - 2, error: `ZodError at position ${position - 1}` },
      ]);
    });

    async function disposable(
      options: Omit<Parameters<typeof startProjector>[0], 'events' | 'store'> & Partial<Pick<ProjectorOptions, 'events'>>,
    ) {
      const projector = await startProjector({ events, store, ...options });
      return Object.assign(projector, { [Symbol.asyncDispose]: () => projector.close() });
    }
  });
