import { EventId, EventMeta, StreamName } from '@virtual-tutor/schemas';
import canonicalize from 'canonicalize';
import type { Sql } from 'postgres';
import { contentHash } from '../app/chain.ts';
import type { AppendRequest, AppendResult, EventStore, StoredEvent } from '../app/ports.ts';
import { Batcher } from './batcher.ts';
import type { Database } from './database.ts';
import { reach } from './reach.ts';

/** Without a notification, how long until the log is looked at again, ms. */
const pollMs = 1_000;

interface EventRow {
  readonly position: string;
  readonly stream: string;
  readonly revision: string;
  readonly event_id: string;
  readonly type: string;
  readonly schema_version: number;
  readonly payload: string;
  readonly sealed: Buffer | null;
  readonly key_id: string | null;
  readonly meta: string;
  readonly content_hash: string;
  readonly hash: string;
  readonly recorded_at: string;
}

interface AppendRow {
  readonly ordinal: number;
  readonly status: 'appended' | 'duplicate' | 'conflict' | 'command_reused';
  readonly first_revision: string | null;
  readonly last_revision: string | null;
  readonly last_position: string | null;
}

/** The log in Postgres, embedded or not. */
export class PostgresEventStore implements EventStore {
  readonly #sql: Sql;
  readonly #batcher: Batcher<AppendRequest, AppendResult>;
  readonly #wakes = new Set<() => void>();
  readonly #poll: NodeJS.Timeout;
  #unlisten: (() => Promise<void>) | null = null;

  private constructor(sql: Sql) {
    this.#sql = sql;
    this.#batcher = new Batcher((requests) => this.#appendAll(requests));
    this.#poll = setInterval(() => this.#wake(), pollMs);
    this.#poll.unref();
  }

  static async open({ sql, shared }: Database): Promise<PostgresEventStore> {
    const store = new PostgresEventStore(sql);
    if (shared) {
      // Reconnects by itself; what it misses meanwhile, the poll finds.
      const { unlisten } = await sql.listen('es_appended', () => store.#wake());
      store.#unlisten = unlisten;
    }
    return store;
  }

  append(request: AppendRequest): Promise<AppendResult> {
    return this.#batcher.add(request.stream, request);
  }

  readStream(stream: StreamName, { after, limit }: { readonly after: number; readonly limit: number }): Promise<readonly StoredEvent[]> {
    return this.#read(
      () => this.#sql<EventRow[]>`
      select ${this.#columns()} from es_event where stream = ${stream} and revision > ${after} order by es_event.revision limit ${limit}`,
    );
  }

  readAll({ after, limit }: { readonly after: number; readonly limit: number }): Promise<readonly StoredEvent[]> {
    return this.#read(
      () =>
        this.#sql<EventRow[]>`select ${this.#columns()} from es_event where position > ${after} order by es_event.position limit ${limit}`,
    );
  }

  async head(): Promise<number> {
    const [row] = await reach(() => this.#sql<{ head: string }[]>`select coalesce(max(position), 0)::text as head from es_event`);
    return Number(row?.head ?? 0);
  }

  async listStreams({ prefix, after, limit }: { readonly prefix: string; readonly after: string; readonly limit: number }) {
    const rows = await reach(
      () => this.#sql<{ stream: string; revision: string }[]>`
        select stream, revision::text as revision from es_stream
        where starts_with(stream, ${prefix}) and stream > ${after} order by stream limit ${limit}`,
    );
    return rows.map(({ stream, revision }) => ({ stream: StreamName.parse(stream), revision: Number(revision) }));
  }

  onAppended(wake: () => void): () => void {
    this.#wakes.add(wake);
    return () => this.#wakes.delete(wake);
  }

  async close(): Promise<void> {
    clearInterval(this.#poll);
    this.#wakes.clear();
    await this.#batcher.idle();
    await this.#unlisten?.();
  }

  #wake(): void {
    for (const wake of this.#wakes) wake();
  }

  /** As text throughout: the read model's library changes this client's parsers. */
  #columns() {
    return this.#sql`
      position::text as position, stream, revision::text as revision, event_id::text as event_id, type, schema_version, payload, sealed,
      key_id::text as key_id, meta, encode(content_hash, 'hex') as content_hash, encode(hash, 'hex') as hash,
      to_char(recorded_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as recorded_at`;
  }

  async #read(query: () => Promise<readonly EventRow[]>): Promise<readonly StoredEvent[]> {
    return (await reach(query)).map(storedOf);
  }

  async #appendAll(requests: readonly AppendRequest[]): Promise<readonly AppendResult[]> {
    const commands = JSON.stringify(requests.map(commandOf));
    const rows = await reach(() => this.#sql<AppendRow[]>`select * from es_append(${commands}::text::jsonb)`);
    const results = new Map(rows.map((row) => [row.ordinal, resultOf(row)]));
    this.#wake();
    return requests.map((_, ordinal) => {
      const result = results.get(ordinal);
      if (result === undefined) throw new Error('es_append gave no answer for a command');
      return result;
    });
  }
}

function commandOf({ commandId, stream, expected, fingerprint, events }: AppendRequest) {
  return {
    commandId,
    stream,
    fingerprint,
    expected: expected === 'none' ? 0 : expected === 'any' ? -1 : expected,
    events: events.map((event) => ({
      id: event.id,
      type: event.type,
      schemaVersion: event.schemaVersion,
      // As text: jsonb would refuse a NUL and rewrite numbers.
      payload: canonicalize(event.payload),
      meta: canonicalize(event.meta),
      sealed: event.sealed === null ? null : Buffer.from(event.sealed).toString('base64'),
      keyId: event.keyId,
      contentHash: contentHash(event).toString('hex'),
    })),
  };
}

function resultOf(row: AppendRow): AppendResult {
  switch (row.status) {
    case 'appended':
    case 'duplicate':
      return {
        status: row.status,
        firstRevision: Number(row.first_revision),
        lastRevision: Number(row.last_revision),
        lastPosition: Number(row.last_position),
      };
    case 'conflict':
      return { status: 'conflict', actualRevision: Number(row.last_revision) };
    case 'command_reused':
      return { status: 'command_reused' };
  }
}

function storedOf(row: EventRow): StoredEvent {
  return {
    id: EventId.parse(row.event_id),
    type: row.type,
    schemaVersion: row.schema_version,
    payload: JSON.parse(row.payload),
    sealed: row.sealed,
    keyId: row.key_id,
    meta: EventMeta.parse(JSON.parse(row.meta)),
    stream: StreamName.parse(row.stream),
    revision: Number(row.revision),
    position: Number(row.position),
    recordedAt: row.recorded_at,
    contentHash: row.content_hash,
    hash: row.hash,
  };
}
