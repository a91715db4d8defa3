import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type SessionState, type StreamName, StudentId, streams, TenantId, TutorId } from '@virtual-tutor/schemas';
import { sessions } from '../packages/server/src/app/aggregates.ts';
import { createEventCodec, type EventCodec } from '../packages/server/src/app/event-codec.ts';
import { commandIdOf, eventIdOf, sessionIdOf, systemIds } from '../packages/server/src/app/ids.ts';
import type { EventStore } from '../packages/server/src/app/ports.ts';
import { type Database, openDatabase } from '../packages/server/src/store/database.ts';
import { PostgresKeyVault } from '../packages/server/src/store/key-vault.ts';
import { PostgresEventStore } from '../packages/server/src/store/postgres-event-store.ts';
import { postgresAvailable, startPostgres } from '../test/support/postgres.ts';
import { type LessonEvent, lessonEvents } from './replay/lesson.ts';

/*
 * What it costs to know the state of every lesson again: events read from the log on PostgreSQL, parsed
 * against the catalogue, opened (AES-256-GCM) and folded by the domain's own `evolve`, per second, for
 * logs of 10^3 to 10^6 events. Lessons have 100 turns of 8 events. `linearity` is the time per event in
 * the largest log over that in one of 10^4: 1 is linear. Beside it one lesson that grows on its own.
 */

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, events: { type: 'string', default: '1000000' } } });
const largest = Number(values.events);
const sizes = [1_000, 10_000, 100_000, 1_000_000].filter((size) => size <= largest);
const turnsPerLesson = 100;
const lessonsAtOnce = 50;
const eventsPerCommand = 96;
const pageSize = 1_000;
const tenantId = TenantId.parse('bench');

function say(line: string): void {
  if (!values.json) console.log(line);
}

interface World {
  readonly store: EventStore;
  readonly codec: EventCodec;
}

/** Writes one lesson through the codec and the store, as the engine does. */
async function writeLesson({ store, codec }: World, turns: number): Promise<StreamName> {
  const key = systemIds.next();
  const stream = streams.session(sessionIdOf(tenantId, key));
  const studentId = StudentId.parse(`student-${key}`);
  const events = lessonEvents({ studentId, tutorId: TutorId.parse('ada'), turns });
  for (let from = 0; from < events.length; from += eventsPerCommand) {
    await writeCommand({ store, codec }, { stream, studentId, from, events: events.slice(from, from + eventsPerCommand) });
  }
  return stream;
}

interface Part {
  readonly stream: StreamName;
  readonly studentId: StudentId;
  /** Events of the lesson before these. */
  readonly from: number;
  readonly events: readonly LessonEvent[];
}

async function writeCommand({ store, codec }: World, { stream, studentId, from, events }: Part): Promise<void> {
  const commandId = commandIdOf(stream, String(from));
  const meta = {
    tenantId,
    actor: { kind: 'system', id: 'bench' },
    causationId: commandId,
    correlationId: commandId,
    occurredAt: '2026-01-01T00:00:00.000Z',
  } as const;
  const drafts = await Promise.all(
    events.map((event, index) =>
      codec.seal({ stream, event, id: eventIdOf(commandId, index), meta, subject: { tenantId, subjectId: studentId } }),
    ),
  );
  const result = await store.append({ commandId, stream, expected: from === 0 ? 'none' : from, events: drafts, fingerprint: commandId });
  if (result.status !== 'appended') throw new Error(`an append ended as ${result.status}`);
}

async function fill(world: World, events: number): Promise<void> {
  const perLesson = lessonEvents({ studentId: StudentId.parse('s'), tutorId: TutorId.parse('t'), turns: turnsPerLesson }).length;
  const lessons = Math.ceil(events / perLesson);
  for (let done = 0; done < lessons; done += lessonsAtOnce) {
    await Promise.all(Array.from({ length: Math.min(lessonsAtOnce, lessons - done) }, () => writeLesson(world, turnsPerLesson)));
  }
}

/** Folds the first `count` events of the log; ms. */
async function fold({ store, codec }: World, count: number): Promise<number> {
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

async function foldStream({ store, codec }: World, stream: StreamName): Promise<{ readonly events: number; readonly ms: number }> {
  const started = performance.now();
  let state = sessions.initial;
  for (let after = 0; ; ) {
    const page = await store.readStream(stream, { after, limit: pageSize });
    for (const stored of page) state = sessions.evolve(state, sessions.eventOf(await codec.open(stored)));
    after += page.length;
    if (page.length < pageSize) return { events: after, ms: performance.now() - started };
  }
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN;
}

async function measure(database: Database): Promise<Record<string, unknown>> {
  await using stack = new AsyncDisposableStack();
  const store = await PostgresEventStore.open(database);
  stack.defer(() => store.close());
  const world = { store, codec: createEventCodec(new PostgresKeyVault(database, randomBytes(32))) };
  const filling = performance.now();
  await fill(world, largest);
  say(`wrote ${await store.head()} events in ${Math.round((performance.now() - filling) / 1_000)} s`);

  await fold(world, Math.min(5_000, largest));
  const eventsPerSecond: Record<string, number> = {};
  const usPerEvent = new Map<number, number>();
  for (const size of sizes) {
    const runs: number[] = [];
    // The small ones often, the largest once or twice: the same number of events each, more or less.
    const repetitions = Math.min(9, Math.max(1, Math.floor(300_000 / size)));
    for (let run = 0; run < repetitions; run += 1) runs.push(await fold(world, size));
    const ms = median(runs);
    usPerEvent.set(size, (ms * 1_000) / size);
    eventsPerSecond[size] = Math.round(size / (ms / 1_000));
    say(`${size} events: ${eventsPerSecond[size]}/s, median of ${repetitions}`);
  }
  const growing: Record<string, number> = {};
  for (const turns of [10, 100, 250, 1_000]) {
    const { events, ms } = await foldStream(world, await writeLesson(world, turns));
    growing[events] = Math.round((ms * 1_000) / events);
    say(`one lesson of ${events} events: ${growing[events]} µs per event`);
  }
  const last = usPerEvent.get(sizes.at(-1) ?? 0) ?? Number.NaN;
  return {
    bench: 'replay',
    eventsPerSecond: eventsPerSecond[sizes.at(-1) ?? 0],
    bySize: eventsPerSecond,
    linearity: Math.round((last / (usPerEvent.get(10_000) ?? Number.NaN)) * 100) / 100,
    oneLessonUsPerEvent: growing,
  };
}

async function main(): Promise<void> {
  if (!postgresAvailable) throw new Error('this bench needs PostgreSQL on this machine: apt-get install postgresql');
  await using server = await startPostgres();
  await using database = await openDatabase({ kind: 'server', url: server.url });
  console.log(JSON.stringify(await measure(database)));
}

await main();
