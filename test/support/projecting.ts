import { categoryOf, SessionId, streams, TenantId } from '@virtual-tutor/schemas';
import type { Sql } from 'postgres';
import { z } from 'zod';
import { decodeClear } from '../../packages/server/src/app/event-codec.ts';
import type { StoredEvent } from '../../packages/server/src/app/ports.ts';
import { Projector, type ProjectorOptions } from '../../packages/server/src/app/project.ts';
import { foldPlan, planOf, readPage } from '../../packages/server/src/app/projections/fold-page.ts';
import type { Placing, Projection } from '../../packages/server/src/app/projections/projection.ts';
import type { Happening } from './histories.ts';

const CountRow = z.object({ tenantId: z.string(), parent: z.string(), status: z.string(), sort: z.number(), count: z.number() });
type CountRow = z.infer<typeof CountRow>;

/** Counts a stream's events, and throws over one that comes twice, out of order or after a gap. */
export function counting(name: string, over: Partial<Projection<CountRow>> = {}): Projection<CountRow> {
  return {
    name,
    version: 1,
    reads: 'session',
    parse: (row) => CountRow.parse(row),
    keyOf: ({ stored }) => stored.stream,
    evolve(row, { stored: { stream, revision, position, meta } }) {
      const count = (row?.count ?? 0) + 1;
      if (count !== revision) throw new RangeError('an event came twice, or not at all');
      return { tenantId: meta.tenantId, parent: stream, status: 'active', sort: row?.sort ?? position, count };
    },
    ...over,
  };
}

export const school = TenantId.parse('school');

const sessionId = (n: number) => SessionId.parse(`01900000-0000-7000-9000-${String(n).padStart(12, '0')}`);

/** A lesson's event that no row but a count depends on. */
export function tick(session: number): Happening {
  const payload = { epoch: 1, reason: 'shutdown' };
  return { tenantId: school, stream: streams.session(sessionId(session)), type: 'SessionReleased', payload };
}

/** In turns of ten. */
export const ticks = (count: number, sessions = 5): readonly Happening[] =>
  Array.from({ length: count }, (_, i) => tick(Math.floor(i / 10) % sessions));

/** A lesson that begins. */
export function created(session: number): Happening {
  const lesson = { tutorId: 'ada', tutorRevision: 1, studentId: `student-${session % 7}`, knowledgeBaseId: null };
  const limits = { maxDurationMs: 3_600_000, idleMs: 600_000 };
  const payload = { ...lesson, locale: 'en', limits, mode: 'session' };
  return { tenantId: school, stream: streams.session(sessionId(1_000 + session)), type: 'SessionCreated', payload };
}

type Rows = ReadonlyMap<string, unknown>;

/** What the rows must be: one event after the other, no batches. */
export function expectedRows(projection: Projection, log: readonly StoredEvent[]): Rows {
  const rows = new Map<string, Placing>();
  for (const stored of log) {
    if (categoryOf(stored.stream) !== projection.reads) continue;
    const event = decodeClear(stored);
    const key = projection.keyOf(event);
    if (key === null) continue;
    const row = projection.evolve(rows.get(key) ?? null, event);
    if (row === null) rows.delete(key);
    else rows.set(key, row);
  }
  return rows;
}

/** In batches, over rows that were JSON in between. */
export function batchedRows(projection: Projection, log: readonly StoredEvent[], batchSize: number): Rows {
  const stored = new Map<string, unknown>();
  for (let from = 0; from < log.length; from += batchSize) {
    const { rows, poison } = foldPlan(projection, planOf(projection, readPage(log.slice(from, from + batchSize))), stored);
    if (poison !== null) throw poison.error;
    for (const [key, row] of rows) {
      if (row === null) stored.delete(key);
      else stored.set(key, JSON.parse(JSON.stringify(row)));
    }
  }
  return stored;
}

/** The rows that are served, with their placing columns checked against themselves. */
export async function servedRows(sql: Sql, projection: string): Promise<Rows> {
  const rows = await sql`
    select r.key, r.row, r.tenant_id, r.parent, r.status, r.sort::text as sort from projection_row r
    join projection_checkpoint c on c.projection = r.projection and c.generation = r.generation and c.state in ('active', 'parked')
    where r.projection = ${projection}`;
  return new Map(
    rows.map((row) => {
      const parsed = JSON.parse(row['row']);
      const placing = { tenantId: row['tenant_id'], parent: row['parent'], status: row['status'], sort: Number(row['sort']) };
      if (!Object.entries(placing).every(([name, value]) => parsed[name] === value))
        throw new Error(`${row['key']} stands in the wrong place`);
      return [row['key'], parsed];
    }),
  );
}

export async function generationsOf(sql: Sql, projection: string) {
  const rows =
    await sql`select generation, state, position::text as position, error from projection_checkpoint where projection = ${projection} order by generation`;
  return rows.map((row) => ({
    generation: row['generation'],
    state: row['state'],
    position: Number(row['position']),
    error: row['error'],
  }));
}

/** Fails the test that forgot to expect a defect. */
export function startProjector(
  options: Pick<ProjectorOptions, 'store' | 'projections' | 'events'> & Partial<ProjectorOptions>,
): Promise<Projector> {
  return Projector.start({
    owner: 'node-1',
    onDefect: (error) => {
      throw error;
    },
    ...options,
  });
}
