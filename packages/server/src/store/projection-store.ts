import { and, asc, eq, inArray, isNull, lt, min, or, sql as raw } from 'drizzle-orm';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import type { CommitOutcome, Fold, Lane, LaneKeys, LaneStatus, LaneWrites, ProjectionStore } from '../app/projection-store.ts';
import type { Database } from './database.ts';
import { reach, StatementRefused } from './reach.ts';
import { checkpoints } from './read-model-tables.ts';

type Tx = Parameters<Parameters<PostgresJsDatabase['transaction']>[0]>[0];

/** Projections' rows and checkpoints in Postgres. Batches, of which there are many, are one statement each; see `es_project`. */
export class PostgresProjectionStore implements ProjectionStore {
  readonly #sql: Sql;
  readonly #db: PostgresJsDatabase;

  constructor({ sql }: Pick<Database, 'sql'>) {
    this.#sql = sql;
    this.#db = drizzle(sql);
  }

  async prepare(folds: readonly Fold[]): Promise<void> {
    for (const { name: projection, version } of folds) {
      await reach(() =>
        this.#db.transaction(async (tx) => {
          await tx.insert(checkpoints).values({ projection, generation: 1, version, state: 'active' }).onConflictDoNothing();
          const all = await lockAll(tx, projection);
          const serving = all.find(({ state }) => isServing(state));
          if (serving !== undefined && serving.version > version) {
            throw new Error(`the projection ${projection} was built by a newer engine: upgrade this one`);
          }
          const isThere = all.some((lane) => lane.version === version && lane.state !== 'parked_rebuild');
          if (!isThere) await addGeneration(tx, all, { projection, version });
        }),
      );
    }
  }

  async claim(folds: readonly Fold[], { owner, leaseMs }: { readonly owner: string; readonly leaseMs: number }): Promise<readonly Lane[]> {
    const claimed = await reach(() =>
      this.#db
        .update(checkpoints)
        .set({ owner, epoch: raw`${checkpoints.epoch} + 1`, leaseUntil: raw`clock_timestamp() + ${leaseMs} * interval '1 millisecond'` })
        .where(
          and(
            inArray(checkpoints.state, ['active', 'rebuilding']),
            isOneOf(folds),
            or(isNull(checkpoints.owner), eq(checkpoints.owner, owner), lt(checkpoints.leaseUntil, raw`clock_timestamp()`)),
          ),
        )
        .returning(),
    );
    return claimed.map(({ projection, generation, epoch, position, state }) => ({
      projection,
      generation,
      epoch,
      position,
      state: state === 'rebuilding' ? state : 'active',
    }));
  }

  async load(wanted: readonly LaneKeys[]): Promise<ReadonlyMap<string, ReadonlyMap<string, unknown>>> {
    const keys = wanted.flatMap(({ lane: { projection, generation }, keys }) => keys.map((key) => ({ projection, generation, key })));
    const loaded = new Map(wanted.map(({ lane }) => [lane.projection, new Map<string, unknown>()]));
    if (keys.length === 0) return loaded;
    const found = await reach(
      () => this.#sql<{ projection: string; key: string; row: string }[]>`
        select projection, key, row from es_rows(${JSON.stringify(keys)}::text::jsonb)`,
    );
    for (const { projection, key, row } of found) loaded.get(projection)?.set(key, JSON.parse(row));
    return loaded;
  }

  async commit(writes: readonly LaneWrites[], leaseMs: number): Promise<CommitOutcome> {
    const { lanes, changed, gone } = batchOf(writes);
    try {
      const [answer] = await reach(
        () => this.#sql<{ committed: boolean }[]>`
          select es_project(${JSON.stringify(lanes)}::text::jsonb, ${JSON.stringify(changed)}::text::jsonb,
            ${JSON.stringify(gone)}::text::jsonb, ${leaseMs}) as committed`,
      );
      return { status: answer?.committed === true ? 'committed' : 'fenced' };
    } catch (error) {
      if (error instanceof StatementRefused) return { status: 'refused', error };
      throw error;
    }
  }

  async park(lane: Lane, error: string): Promise<boolean> {
    const state = lane.state === 'active' ? 'parked' : 'parked_rebuild';
    const parked = await reach(() =>
      this.#db
        .update(checkpoints)
        .set({ state, error, owner: null, leaseUntil: null })
        .where(isLane(lane))
        .returning({ generation: checkpoints.generation }),
    );
    return parked.length > 0;
  }

  swap(lane: Lane): Promise<boolean> {
    return reach(() =>
      this.#db.transaction(async (tx) => {
        const all = await lockAll(tx, lane.projection);
        const next = all.find(({ generation, epoch }) => generation === lane.generation && epoch === lane.epoch);
        const serving = all.find(({ state }) => isServing(state));
        if (next?.state !== 'rebuilding' || next.position < (serving?.position ?? 0)) return false;
        await tx.delete(checkpoints).where(and(eq(checkpoints.projection, lane.projection), lt(checkpoints.generation, lane.generation)));
        await tx.update(checkpoints).set({ state: 'active' }).where(isLane(lane));
        return true;
      }),
    );
  }

  rebuild({ name: projection, version }: Fold): Promise<number> {
    return reach(() => this.#db.transaction(async (tx) => addGeneration(tx, await lockAll(tx, projection), { projection, version })));
  }

  /** Of generations older than any that has a checkpoint: those of an abandoned rebuild become that with the next swap. */
  async sweep(limit: number): Promise<number> {
    const swept = await reach(
      () => this.#sql`
        delete from projection_row r using (
          select dead.projection, dead.generation, dead.key
          from (select projection, min(generation) as oldest from projection_checkpoint group by projection) c
          cross join lateral (
            select projection, generation, key from projection_row
            where projection = c.projection and generation < c.oldest limit ${limit}
          ) dead
          limit ${limit}
        ) dead
        where r.projection = dead.projection and r.generation = dead.generation and r.key = dead.key`,
    );
    return swept.count;
  }

  async reached(folds: readonly Fold[]): Promise<number | null> {
    const names = folds.map(({ name }) => name);
    const [lowest] = await reach(() =>
      this.#db
        .select({ position: min(checkpoints.position) })
        .from(checkpoints)
        .where(and(eq(checkpoints.state, 'active'), inArray(checkpoints.projection, names))),
    );
    return lowest?.position ?? null;
  }

  async list(): Promise<readonly LaneStatus[]> {
    const all = await reach(() => this.#db.select().from(checkpoints).orderBy(asc(checkpoints.projection), asc(checkpoints.generation)));
    return all.map(({ projection: name, generation, version, state, position, error }) => ({
      name,
      generation,
      version,
      state,
      position,
      error,
    }));
  }

  async release(owner: string): Promise<void> {
    await reach(() => this.#db.update(checkpoints).set({ owner: null, leaseUntil: null }).where(eq(checkpoints.owner, owner)));
  }
}

type Checkpoint = typeof checkpoints.$inferSelect;

function isServing(state: Checkpoint['state']): boolean {
  return state === 'active' || state === 'parked';
}

function isLane({ projection, generation, epoch }: Lane) {
  return and(eq(checkpoints.projection, projection), eq(checkpoints.generation, generation), eq(checkpoints.epoch, epoch));
}

function isOneOf(folds: readonly Fold[]) {
  return or(...folds.map(({ name, version }) => and(eq(checkpoints.projection, name), eq(checkpoints.version, version))));
}

function lockAll(tx: Tx, projection: string): Promise<Checkpoint[]> {
  return tx.select().from(checkpoints).where(eq(checkpoints.projection, projection)).orderBy(asc(checkpoints.generation)).for('update');
}

/** Beside the one that serves. A rebuild that was under way is thrown away. */
async function addGeneration(
  tx: Tx,
  all: readonly Checkpoint[],
  { projection, version }: Pick<Checkpoint, 'projection' | 'version'>,
): Promise<number> {
  const abandoned = all.filter(({ state }) => !isServing(state)).map(({ generation }) => generation);
  if (abandoned.length > 0) {
    await tx.delete(checkpoints).where(and(eq(checkpoints.projection, projection), inArray(checkpoints.generation, abandoned)));
  }
  const generation = Math.max(0, ...all.map((lane) => lane.generation)) + 1;
  await tx.insert(checkpoints).values({ projection, generation, version, state: 'rebuilding' });
  return generation;
}

/** As `es_project` takes it. */
function batchOf(writes: readonly LaneWrites[]) {
  const lanes = writes.map(({ lane: { projection, generation, epoch, position }, position: to }) => ({
    projection,
    generation,
    epoch,
    from: position,
    to,
  }));
  const all = writes.flatMap(({ lane: { projection, generation }, rows: written }) =>
    [...written].map(([key, row]) => ({ projection, generation, key, row })),
  );
  const changed = all.flatMap(({ row, ...at }) =>
    row === null
      ? []
      : [{ ...at, tenant_id: row.tenantId, parent: row.parent, status: row.status, sort: row.sort, row: JSON.stringify(row) }],
  );
  const gone = all.flatMap(({ row, ...at }) => (row === null ? [at] : []));
  return { lanes, changed, gone };
}
