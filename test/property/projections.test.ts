import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { allProjections } from '../../packages/server/src/app/projections/all.ts';
import { foldPlan, planOf, readPage } from '../../packages/server/src/app/projections/fold-page.ts';
import type { Projection } from '../../packages/server/src/app/projections/projection.ts';
import { MemoryEventStore } from '../../packages/server/src/store/memory-event-store.ts';
import { PostgresProjectionStore } from '../../packages/server/src/store/projection-store.ts';
import { append, type Happening, history, wholeLog } from '../support/histories.ts';
import { often } from '../support/long.ts';
import { batchedRows, expectedRows, servedRows, startProjector } from '../support/projecting.ts';
import { databaseKinds, describeOn, type OpenDatabaseStore, openDatabaseStore } from '../support/stores.ts';

const projections: readonly Projection[] = allProjections;

async function logOf(happenings: readonly Happening[]) {
  const store = new MemoryEventStore();
  await append(store, happenings);
  return wholeLog(store);
}

describe.each(projections.map((projection) => [projection.name, projection] as const))('the fold of %s', (_, projection) => {
  test('makes the same rows in batches of any size, through JSON, as one event at a time (invariant 21)', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.integer({ min: 1, max: 40 }), async (happenings, batchSize) => {
        const log = await logOf(happenings);
        expect(batchedRows(projection, log, batchSize)).toEqual(expectedRows(projection, log));
      }),
      { numRuns: often({ few: 40, long: 2_000 }) },
    );
  });

  test('makes the same rows on any day and without a die (invariant 26)', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.date({ noInvalidDate: true }), async (happenings, day) => {
        const log = await logOf(happenings);
        const today = expectedRows(projection, log);
        vi.useFakeTimers({ now: day, toFake: ['Date'] });
        const { random } = Math;
        Math.random = () => {
          throw new Error('a fold rolled dice');
        };
        try {
          expect(expectedRows(projection, log)).toEqual(today);
        } finally {
          Math.random = random;
          vi.useRealTimers();
        }
      }),
      { numRuns: often({ few: 20, long: 2_000 }) },
    );
  });

  test('leaves its input alone and stays the same object when nothing changed', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (happenings) => {
        const log = await logOf(happenings);
        const plan = planOf(projection, readPage(log));
        const frozen = {
          ...projection,
          evolve: (...[row, event]: Parameters<Projection['evolve']>) => projection.evolve(Object.freeze(row), event),
        };
        const { rows, poison } = foldPlan(frozen, plan, undefined);
        expect(poison).toBeNull();
        // Once more over what is stored, without news: nothing to write.
        expect(foldPlan(projection, { steps: [], poison: null }, rows).rows.size).toBe(0);
      }),
      { numRuns: often({ few: 20, long: 2_000 }) },
    );
  });
});

for (const kind of databaseKinds)
  describeOn(kind)(`projections on ${kind}`, () => {
    let open: OpenDatabaseStore;
    beforeAll(async () => {
      open = await openDatabaseStore(kind);
    });
    afterAll(async () => {
      await open[Symbol.asyncDispose]();
    });

    test('live rows, rebuilt rows and rows of other batch sizes are the same, row for row (invariant 21)', async () => {
      const { store: events, database } = open;
      const store = new PostgresProjectionStore(database);
      let round = 0;
      await fc.assert(
        fc.asyncProperty(history, fc.integer({ min: 5, max: 30 }), async (happenings, batchSize) => {
          round += 1;
          const sets = ['live', 'late', 'rebuilt'].map((set) =>
            projections.map((projection) => ({ ...projection, name: `${projection.name} ${set} ${round}` })),
          );
          const [live = [], late = [], rebuilt = []] = sets;
          const first = await startProjector({ events, store, projections: [...live, ...rebuilt], batchSize });
          await first.waitFor(await append(events, happenings));
          for (const { name } of rebuilt) await first.rebuild(name);
          await expect
            .poll(async () => (await first.list()).every(({ name, generation }) => generation === (name.includes('rebuilt') ? 2 : 1)), {
              timeout: 20_000,
            })
            .toBe(true);
          await first.close();
          const second = await startProjector({ events, store, projections: late });
          await second.close();

          const log = await wholeLog(events);
          for (const [i, projection] of projections.entries()) {
            const expected = expectedRows(projection, log);
            for (const set of sets) expect(await servedRows(database.sql, set[i]?.name ?? '')).toEqual(expected);
          }
        }),
        { numRuns: often({ few: 3, long: 60 }), endOnFailure: true },
      );
    });
  });
