import { parseArgs } from 'node:util';
import type { SessionState, StreamName } from '@virtual-tutor/schemas';
import { sessions } from '../packages/server/src/app/aggregates.ts';
import { Folds } from '../packages/server/src/app/folds.ts';
import { postgresAvailable, startPostgres } from '../test/support/postgres.ts';
import { type Emmett, openEmmett } from './peers/emmett.ts';
import { fillTo, type Log, makeLesson, median, openLog, writeLesson, writePeerLesson } from './replay/log.ts';

/*
 * What it costs to know the state of every lesson again: events read from the log on PostgreSQL, parsed
 * against the catalogue, opened (AES-256-GCM) and folded by the domain's own `evolve`, per second, for
 * logs of 10^3 to 10^6 events. Lessons have 100 turns of 8 events. `linearity` is the time per event in
 * the largest log over that in one of 10^4: 1 is linear. Beside it single lessons, opened as the engine
 * opens one that it has not in memory: 500 events (`openMs`), and longer and shorter ones. The peer is
 * emmett on the same server, which reads the same lessons, their words in clear, and counts their events.
 */

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, events: { type: 'string', default: '1000000' } } });
const largest = Number(values.events);
const sizes = [1_000, 10_000, 100_000, 1_000_000].filter((size) => size <= largest);
const pageSize = 1_000;
/** 499 events. */
const turnsOfOpened = 62;
const openings = 41;
/** Node compiles what runs often: an engine has opened lessons before. */
const warmUps = 150;

function say(line: string): void {
  if (!values.json) console.log(line);
}

function round(figure: number): number {
  return Math.round(figure * 100) / 100;
}

/** Folds the first `count` events of the log; ms. */
async function fold({ store, codec }: Log, count: number): Promise<number> {
  const states = new Map<StreamName, SessionState>();
  const started = performance.now();
  for (let after = 0; after < count; ) {
    const page = await store.readAll({ after, limit: Math.min(pageSize, count - after) });
    for (const stored of page) {
      const event = sessions.eventOf(await codec.open(stored));
      states.set(stored.stream, sessions.evolve(states.get(stored.stream) ?? sessions.initial, event));
    }
    after += page.length;
    if (page.length === 0) throw new Error('the log is shorter than that');
  }
  return performance.now() - started;
}

/** By the size of the log, per second. */
async function foldBySize(log: Log): Promise<ReadonlyMap<number, number>> {
  await fold(log, Math.min(5_000, largest));
  const perSecond = new Map<number, number>();
  for (const size of sizes) {
    const runs: number[] = [];
    // The small ones often, the largest once or twice: the same number of events each, more or less.
    const repetitions = Math.min(9, Math.max(1, Math.floor(300_000 / size)));
    for (let run = 0; run < repetitions; run += 1) runs.push(await fold(log, size));
    perSecond.set(size, Math.round(size / (median(runs) / 1_000)));
    say(`${size} events: ${perSecond.get(size)}/s, median of ${repetitions}`);
  }
  return perSecond;
}

/** One lesson through both, taking turns: ms to open it, of ours with nothing in memory. */
async function open(log: Log, emmett: Emmett, turns: number) {
  const lesson = makeLesson(turns);
  await writeLesson(log, lesson);
  await writePeerLesson(emmett, lesson);
  const times: { ours: number; emmett: number }[] = [];
  for (let run = -warmUps; run < openings; run += 1) {
    const started = performance.now();
    const { revision } = await new Folds(log.store, log.codec).load(sessions, lesson.stream);
    const between = performance.now();
    const counted = await emmett.fold(lesson.stream);
    if (run >= 0) times.push({ ours: between - started, emmett: performance.now() - between });
    if (revision !== lesson.events.length || counted !== revision) throw new Error('a lesson was not read whole');
  }
  const ours = times.map((time) => time.ours);
  const figures = {
    events: lesson.events.length,
    ms: round(median(ours)),
    p95Ms: round(ours.toSorted((a, b) => a - b)[Math.floor(openings * 0.95)] ?? Number.NaN),
    emmettMs: round(median(times.map((time) => time.emmett))),
    ratioToEmmett: round(median(times.map((time) => time.ours / time.emmett))),
  };
  say(`one lesson of ${figures.events} events opens in ${figures.ms} ms (emmett ${figures.emmettMs} ms)`);
  return figures;
}

async function main(): Promise<void> {
  if (!postgresAvailable) throw new Error('this bench needs PostgreSQL on this machine: apt-get install postgresql');
  await using server = await startPostgres();
  await using log = await openLog(await server.createDatabase('ours'));
  await using emmett = await openEmmett(await server.createDatabase('emmett'));
  const filling = performance.now();
  say(`wrote ${await fillTo(log, largest)} events in ${Math.round((performance.now() - filling) / 1_000)} s`);
  const bySize = await foldBySize(log);
  const lessons = [];
  for (const turns of [10, turnsOfOpened, 250]) lessons.push(await open(log, emmett, turns));
  const opened = lessons[1];
  const [last, base] = [bySize.get(sizes.at(-1) ?? 0) ?? Number.NaN, bySize.get(10_000) ?? Number.NaN];
  console.log(
    JSON.stringify({
      bench: 'replay',
      eventsPerSecond: last,
      bySize: Object.fromEntries(bySize),
      linearity: round(base / last),
      openMs: opened?.ms,
      openP95Ms: opened?.p95Ms,
      openRatioToEmmett: opened?.ratioToEmmett,
      lessons,
    }),
  );
}

await main();
