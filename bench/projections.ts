import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { Projector } from '../packages/server/src/app/project.ts';
import { allProjections } from '../packages/server/src/app/projections/all.ts';
import { PostgresProjectionStore } from '../packages/server/src/store/projection-store.ts';
import { postgresAvailable, startPostgres } from '../test/support/postgres.ts';
import { openEmmett } from './peers/emmett.ts';
import { eventsPerLesson, fillTo, type Log, makeLesson, median, openLog, writePeerLesson } from './replay/log.ts';

/*
 * Rebuilding the read model on PostgreSQL, events of the log per second, for logs of 10^3 to 10^6 events:
 * all projections at once, beside the generation that serves, until the new one serves (`rebuilt`), and
 * from nothing, as an engine starts whose folds are new (`fromNothing`). Lessons have 100 turns of 8
 * events, 50 at once. `linearity` is the time per event in the largest log over that in one of 10^4: 1 is
 * linear. The peer is emmett on the same server: its own rebuild of one projection, which keeps of each
 * lesson how many turns it has and whether it ended, for a log of 10^4 events.
 */

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, events: { type: 'string', default: '1000000' } } });
const largest = Number(values.events);
const sizes = [1_000, 10_000, 100_000, 1_000_000].filter((size) => size <= largest);
const peerSize = 10_000;

function say(line: string): void {
  if (!values.json) console.log(line);
}

function start({ database, store: events }: Log): Promise<Projector> {
  return Projector.start({
    events,
    store: new PostgresProjectionStore(database),
    projections: allProjections,
    owner: 'bench',
    onDefect: (error) => {
      throw error;
    },
  });
}

/** Nothing is left of the generations before, so that each run finds the tables as the first one did. */
async function empty({ database: { sql } }: Log): Promise<void> {
  await sql`truncate projection_row, projection_checkpoint`;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Every projection anew, one after the other as an operator asks for it; until all of them serve. */
async function rebuildAll(projector: Projector): Promise<void> {
  const wanted = new Map<string, number>();
  for (const { name } of allProjections) wanted.set(name, (await projector.rebuild(name))?.generation ?? Number.NaN);
  for (;;) {
    const served = (await projector.list()).filter(({ state }) => state === 'active');
    if (served.length === wanted.size && served.every(({ name, generation }) => wanted.get(name) === generation)) return;
    await pause(5);
  }
}

async function measure(log: Log): Promise<{ readonly fromNothingMs: number; readonly rebuiltMs: number }> {
  await empty(log);
  let projector: Projector | null = null;
  const fromNothingMs = await timed(async () => {
    projector = await start(log);
  });
  const running = projector ?? (await start(log));
  const rebuiltMs = await timed(() => rebuildAll(running));
  await running.close();
  return { fromNothingMs, rebuiltMs };
}

/** Into a table of its own each time: a second rebuild of one projection starts at its checkpoint, and leaves it empty. */
async function peer(url: string): Promise<number> {
  await using emmett = await openEmmett(url);
  await using stack = new AsyncDisposableStack();
  const sql = postgres(url, { max: 1 });
  stack.defer(() => sql.end());
  const lessons = Array.from({ length: Math.ceil(peerSize / eventsPerLesson) }, () => makeLesson());
  for (const lesson of lessons) await writePeerLesson(emmett, lesson);
  const runs: number[] = [];
  for (const table of ['first', 'second', 'third']) {
    const ms = await timed(() => emmett.rebuild(table));
    runs.push((lessons.length * eventsPerLesson) / (ms / 1_000));
    const rows = await sql`select from ${sql(table)} where data->>'turns' = '100'`;
    if (rows.length !== lessons.length) throw new Error('the peer did not rebuild every lesson');
  }
  return Math.round(median(runs));
}

async function main(): Promise<void> {
  if (!postgresAvailable) throw new Error('this bench needs PostgreSQL on this machine: apt-get install postgresql');
  await using server = await startPostgres();
  await using log = await openLog(await server.createDatabase('ours'));
  const bySize: { size: number; events: number; rebuilt: number; fromNothing: number }[] = [];
  for (const size of sizes) {
    const events = await fillTo(log, size);
    if (bySize.length === 0) await measure(log);
    const runs: Awaited<ReturnType<typeof measure>>[] = [];
    for (let run = 0; run < (size > 100_000 ? 1 : 5); run += 1) runs.push(await measure(log));
    const perSecond = (ms: readonly number[]) => Math.round(events / (median(ms) / 1_000));
    const figures = { rebuilt: perSecond(runs.map((run) => run.rebuiltMs)), fromNothing: perSecond(runs.map((run) => run.fromNothingMs)) };
    bySize.push({ size, events, ...figures });
    say(`${events} events: ${figures.rebuilt}/s rebuilt, ${figures.fromNothing}/s from nothing`);
  }
  const emmett = await peer(await server.createDatabase('emmett'));
  const [last, alike] = [bySize.at(-1), bySize.find(({ size }) => size === peerSize)];
  console.log(
    JSON.stringify({
      bench: 'projections',
      projections: allProjections.length,
      eventsPerSecond: last?.rebuilt,
      bySize,
      linearity: Math.round(((alike?.rebuilt ?? Number.NaN) / (last?.rebuilt ?? Number.NaN)) * 100) / 100,
      emmettEventsPerSecond: emmett,
      ratioToEmmett: Math.round(((alike?.rebuilt ?? Number.NaN) / emmett) * 10) / 10,
    }),
  );
}

await main();
