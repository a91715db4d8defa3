import { randomBytes } from 'node:crypto';
import { type CommandId, type StreamName, StudentId, streams, TenantId, TutorId } from '@virtual-tutor/schemas';
import { createEventCodec, type EventCodec } from '../../packages/server/src/app/event-codec.ts';
import { commandIdOf, eventIdOf, sessionIdOf, systemIds } from '../../packages/server/src/app/ids.ts';
import type { EventStore } from '../../packages/server/src/app/ports.ts';
import { type Database, openDatabase } from '../../packages/server/src/store/database.ts';
import { PostgresKeyVault } from '../../packages/server/src/store/key-vault.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import type { Emmett } from '../peers/emmett.ts';
import { type LessonEvent, lessonEvents } from './lesson.ts';

export interface Log extends AsyncDisposable {
  readonly database: Database;
  readonly store: EventStore;
  readonly codec: EventCodec;
}

const tenantId = TenantId.parse('bench');
/** Of a lesson of 100 turns. */
export const eventsPerLesson = 803;
const lessonsAtOnce = 50;
const eventsPerCommand = 96;

export async function openLog(url: string): Promise<Log> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await openDatabase({ kind: 'server', url }));
  const store = await PostgresEventStore.open(database);
  stack.defer(() => store.close());
  const codec = createEventCodec(new PostgresKeyVault(database, randomBytes(32)));
  const resources = stack.move();
  return { database, store, codec, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

export interface Lesson {
  readonly stream: StreamName;
  readonly studentId: StudentId;
  readonly events: readonly LessonEvent[];
}

export function makeLesson(turns = 100): Lesson {
  const key = systemIds.next();
  const studentId = StudentId.parse(`student-${key}`);
  const stream = streams.session(sessionIdOf(tenantId, key));
  return { stream, studentId, events: lessonEvents({ studentId, tutorId: TutorId.parse('ada'), turns }) };
}

/** Writes one lesson through the codec and the store, as the engine does. */
export async function writeLesson({ store, codec }: Pick<Log, 'store' | 'codec'>, { stream, studentId, events }: Lesson): Promise<void> {
  for (let from = 0; from < events.length; from += eventsPerCommand) {
    const commandId = commandIdOf(stream, String(from));
    const meta = metaOf(commandId);
    const drafts = await Promise.all(
      events
        .slice(from, from + eventsPerCommand)
        .map((event, index) =>
          codec.seal({ stream, event, id: eventIdOf(commandId, index), meta, subject: { tenantId, subjectId: studentId } }),
        ),
    );
    const result = await store.append({ commandId, stream, expected: from === 0 ? 'none' : from, events: drafts, fingerprint: commandId });
    if (result.status !== 'appended') throw new Error(`an append ended as ${result.status}`);
  }
}

/** The same lesson through emmett: its words in clear, no chain, nothing checked. */
export async function writePeerLesson(emmett: Emmett, { stream, events }: Lesson): Promise<void> {
  for (let from = 0; from < events.length; from += eventsPerCommand) {
    const written = events.slice(from, from + eventsPerCommand).map(({ type, payload, ...rest }) => ({
      type,
      data: { ...payload, ...rest },
      metadata: metaOf(commandIdOf(stream, String(from))),
    }));
    await emmett.append(stream, written);
  }
}

function metaOf(commandId: CommandId) {
  return {
    tenantId,
    actor: { kind: 'system', id: 'bench' },
    causationId: commandId,
    correlationId: commandId,
    occurredAt: '2026-01-01T00:00:00.000Z',
  } as const;
}

/** Whole lessons of 100 turns until the log holds at least `events`; returns how many it holds. */
export async function fillTo(log: Log, events: number): Promise<number> {
  const lessons = Math.ceil((events - (await log.store.head())) / eventsPerLesson);
  for (let done = 0; done < lessons; done += lessonsAtOnce) {
    await Promise.all(Array.from({ length: Math.min(lessonsAtOnce, lessons - done) }, () => writeLesson(log, makeLesson())));
  }
  return log.store.head();
}

export function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN;
}
