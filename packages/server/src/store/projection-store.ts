import { and, eq, inArray, isNull, lt, max, or, sql as raw } from 'drizzle-orm';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import type { Lane, LaneWrites, ProjectionStore } from '../app/project.ts';
import type { ProjectionStatus } from '../app/read-model.ts';
import type { Database } from './database.ts';
import { reach } from './reach.ts';
import { checkpoints, rows } from './read-model-tables.ts';

type Tx = Parameters<Parameters<PostgresJsDatabase['transaction']>[0]>[0];

/** Rows per insert: stays below the protocol's 65,535 parameters. */
const chunkSize = 1_000;

class Fenced extends Error {
  override readonly name = 'Fenced';
}

/** Projections' rows and checkpoints in Postgres; each batch is one transaction, refused when a lane was claimed by another node. */
export class PostgresProjectionStore implements ProjectionStore {
  readonly #db: PostgresJsDatabase;

  constructor({ sql }: Database) {
    this.#db = drizzle(sql);
  }

  async prepare(projections: readonly { readonly name: string; readonly version: number }[]): Promise<void> {
    for (const { name, version } of projections) {
      const made = await reach(() =>
        this.#db
          .insert(checkpoints)
          .values({ projection: name, generation: 1, version, state: 'active' })
          .onConflictDoNothing()
          .returning(),
      );
      if (made.length > 0) continue;
      const [newest] = await reach(() =>
        this.#db
          .select({ version: max(checkpoints.version) })
          .from(checkpoints)
          .where(eq(checkpoints.projection, name)),
      );
      if ((newest?.version ?? version) < version) await this.#newGeneration(name, version);
    }
  }

  async claim(owner: string, leaseMs: number): Promise<readonly Lane[]> {
    const claimed = await reach(() =>
      this.#db
        .update(checkpoints)
        .set({ owner, epoch: raw`${checkpoints.epoch} + 1`, leaseUntil: leaseEnd(leaseMs) })
        .where(
          and(
            inArray(checkpoints.state, ['active', 'rebuilding']),
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

  async load({ projection, generation }: Lane, keys: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
    const found = await reach(() =>
      this.#db
        .select({ key: rows.key, row: rows.row })
        .from(rows)
        .where(and(eq(rows.projection, projection), eq(rows.generation, generation), inArray(rows.key, [...keys]))),
    );
    return new Map(found.map(({ key, row }) => [key, JSON.parse(row)]));
  }

  async commit(writes: readonly LaneWrites[], leaseMs: number): Promise<'committed' | 'fenced'> {
    try {
      await reach(() =>
        this.#db.transaction(async (tx) => {
          for (const write of writes) await advance(tx, write, leaseMs);
          await writeRows(tx, writes);
        }),
      );
      return 'committed';
    } catch (error) {
      if (error instanceof Fenced) return 'fenced';
      throw error;
    }
  }

  async park(lane: Lane, error: string): Promise<void> {
    const state = lane.state === 'active' ? 'parked' : 'parked_rebuild';
    await reach(() => this.#db.update(checkpoints).set({ state, error, owner: null }).where(isLane(lane)));
  }

  async swap(lane: Lane): Promise<void> {
    await reach(() =>
      this.#db.transaction(async (tx) => {
        const all = await tx.select().from(checkpoints).where(eq(checkpoints.projection, lane.projection)).for('update');
        const next = all.find(
          ({ generation, epoch, state }) => generation === lane.generation && epoch === lane.epoch && state === 'rebuilding',
        );
        const serving = all.find(({ state }) => state === 'active' || state === 'parked');
        // Readers never go back in time.
        if (next === undefined || next.position < (serving?.position ?? 0)) return;
        const older = and(eq(checkpoints.projection, lane.projection), lt(checkpoints.generation, lane.generation));
        await tx.delete(checkpoints).where(older);
        await tx.update(checkpoints).set({ state: 'active', error: null }).where(isLane(lane));
        await tx.delete(rows).where(and(eq(rows.projection, lane.projection), lt(rows.generation, lane.generation)));
      }),
    );
  }

  async rebuild(name: string): Promise<number | null> {
    const [serving] = await reach(() =>
      this.#db
        .select({ version: max(checkpoints.version) })
        .from(checkpoints)
        .where(eq(checkpoints.projection, name)),
    );
    return serving?.version == null ? null : this.#newGeneration(name, serving.version);
  }

  async positions(): Promise<readonly number[]> {
    const active = await reach(() =>
      this.#db.select({ position: checkpoints.position }).from(checkpoints).where(eq(checkpoints.state, 'active')),
    );
    return active.map(({ position }) => position);
  }

  async list(): Promise<readonly Omit<ProjectionStatus, 'lag'>[]> {
    const all = await reach(() => this.#db.select().from(checkpoints).orderBy(checkpoints.projection, checkpoints.generation));
    return all.map(({ projection: name, generation, state, position, error }) => ({
      name,
      generation,
      state: state === 'parked_rebuild' ? 'parked' : state,
      position,
      error,
    }));
  }

  async release(owner: string): Promise<void> {
    await reach(() => this.#db.update(checkpoints).set({ owner: null, leaseUntil: null }).where(eq(checkpoints.owner, owner)));
  }

  /** Beside the one that serves. A rebuild that was under way is thrown away. */
  #newGeneration(projection: string, version: number): Promise<number> {
    return reach(() =>
      this.#db.transaction(async (tx) => {
        const all = await tx.select().from(checkpoints).where(eq(checkpoints.projection, projection)).for('update');
        const abandoned = all
          .filter(({ state }) => state === 'rebuilding' || state === 'parked_rebuild')
          .map(({ generation }) => generation);
        if (abandoned.length > 0) {
          await tx.delete(checkpoints).where(and(eq(checkpoints.projection, projection), inArray(checkpoints.generation, abandoned)));
          await tx.delete(rows).where(and(eq(rows.projection, projection), inArray(rows.generation, abandoned)));
        }
        const generation = Math.max(...all.map((checkpoint) => checkpoint.generation)) + 1;
        await tx.insert(checkpoints).values({ projection, generation, version, state: 'rebuilding' });
        return generation;
      }),
    );
  }
}

function isLane({ projection, generation, epoch }: Lane) {
  return and(eq(checkpoints.projection, projection), eq(checkpoints.generation, generation), eq(checkpoints.epoch, epoch));
}

function leaseEnd(leaseMs: number) {
  return raw`clock_timestamp() + ${leaseMs} * interval '1 millisecond'`;
}

/** The epoch is checked where the rows are written: a node that slept through its lease changes nothing. */
async function advance(tx: Tx, { lane, position }: LaneWrites, leaseMs: number): Promise<void> {
  const moved = await tx
    .update(checkpoints)
    .set({ position, leaseUntil: leaseEnd(leaseMs) })
    .where(and(isLane(lane), eq(checkpoints.position, lane.position)))
    .returning({ generation: checkpoints.generation });
  if (moved.length === 0) throw new Fenced();
}

async function writeRows(tx: Tx, writes: readonly LaneWrites[]): Promise<void> {
  const changed: (typeof rows.$inferInsert)[] = [];
  for (const { lane, rows: written } of writes) {
    const { projection, generation } = lane;
    const gone = [...written].filter(([, row]) => row === null).map(([key]) => key);
    if (gone.length > 0) {
      await tx.delete(rows).where(and(eq(rows.projection, projection), eq(rows.generation, generation), inArray(rows.key, gone)));
    }
    for (const [key, row] of written) {
      if (row === null) continue;
      const { tenantId, parent, status, sort } = row;
      changed.push({ projection, generation, key, tenantId, parent, status, sort, row: JSON.stringify(row) });
    }
  }
  for (let from = 0; from < changed.length; from += chunkSize) {
    await tx
      .insert(rows)
      .values(changed.slice(from, from + chunkSize))
      .onConflictDoUpdate({
        target: [rows.projection, rows.generation, rows.key],
        set: { parent: raw`excluded.parent`, status: raw`excluded.status`, sort: raw`excluded.sort`, row: raw`excluded.row` },
      });
  }
}
