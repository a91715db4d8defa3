import type { Event } from '@event-driven-io/emmett';
import {
  getPostgreSQLEventStore,
  type PostgreSQLProjectionDefinition,
  pongoMultiStreamProjection,
  rebuildPostgreSQLProjections,
} from '@event-driven-io/emmett-postgresql';

type Json = Readonly<Record<string, unknown>>;
type AnyEvent = Event<string, Record<string, unknown>>;
// A pongo document has an index signature, which an interface would not have.
type LessonDocument = { turns: number; status: string };

export interface Written {
  readonly type: string;
  readonly data: Json;
  readonly metadata: Json;
}

/** Emmett with its log on PostgreSQL, as its users use it. */
export interface Emmett extends AsyncDisposable {
  /** At the exact revision that the stream has. */
  append(stream: string, events: readonly Written[]): Promise<void>;
  /** Reads a stream and counts its events: a fold that does nothing. */
  fold(stream: string): Promise<number>;
  /** Builds a read model of one document per stream from the whole log, into a table of this name. */
  rebuild(collection: string): Promise<void>;
}

export async function openEmmett(url: string): Promise<Emmett> {
  const store = getPostgreSQLEventStore(url);
  await store.schema.migrate();
  const revisions = new Map<string, bigint>();
  return {
    async append(stream, events) {
      const expectedStreamVersion = revisions.get(stream) ?? 'STREAM_DOES_NOT_EXIST';
      const { nextExpectedStreamVersion } = await store.appendToStream(
        stream,
        events.map(({ type, data, metadata }) => ({ type, data: { ...data }, metadata: { ...metadata } })),
        { expectedStreamVersion },
      );
      revisions.set(stream, nextExpectedStreamVersion);
    },
    async fold(stream) {
      const { state } = await store.aggregateStream<number, AnyEvent>(stream, {
        initialState: () => 0,
        evolve: (events: number) => events + 1,
      });
      return state;
    },
    async rebuild(collection) {
      const projections = [lessons(collection)];
      const consumer = rebuildPostgreSQLProjections<AnyEvent>({ connectionString: url, projections, pulling: { batchSize: 500 } });
      await consumer.start();
      await consumer.close();
    },
    [Symbol.asyncDispose]: () => store.close(),
  };
}

/** What our own `sessions` changes its rows for. */
function lessons(collectionName: string): PostgreSQLProjectionDefinition<AnyEvent> {
  return pongoMultiStreamProjection<LessonDocument, AnyEvent>({
    collectionName,
    canHandle: ['SessionCreated', 'SessionHosted', 'MessageReceived', 'SessionEnded'],
    getDocumentId: ({ metadata }) => metadata.streamName,
    initialState: () => ({ turns: 0, status: 'active' }),
    evolve: (lesson: LessonDocument, { type }: AnyEvent) => {
      if (type === 'MessageReceived') return { ...lesson, turns: lesson.turns + 1 };
      return type === 'SessionEnded' ? { ...lesson, status: 'ended' } : lesson;
    },
  });
}
