import { StreamName } from '@virtual-tutor/schemas';
import type { Sql } from 'postgres';
import type { AppendRequest, AppendResult, EventStore, StoredEvent } from '../app/ports.ts';
import { Batcher } from './batcher.ts';
import type { Database } from './database.ts';
import { type AnswerRow, type EventRow, eventColumns, resultOf, storedOf, type WrittenCommand, writtenCommand } from './event-rows.ts';
import { reach } from './reach.ts';
import { WakeUps } from './wake-ups.ts';

/** Sorts behind every name that starts with the same letters. */
const lastCharacter = '\u{10FFFF}';

/** The log in Postgres, embedded or not. */
export class PostgresEventStore implements EventStore {
  readonly #sql: Sql;
  readonly #appends: Sql;
  readonly #batcher: Batcher<WrittenCommand, AppendResult>;
  readonly #wakeUps: WakeUps;

  private constructor({ sql, appends, listener }: Database) {
    this.#sql = sql;
    this.#appends = appends;
    this.#batcher = new Batcher((commands) => this.#appendAll(commands));
    this.#wakeUps = new WakeUps(listener);
  }

  static async open(database: Database): Promise<PostgresEventStore> {
    return new PostgresEventStore(database);
  }

  async append(request: AppendRequest): Promise<AppendResult> {
    return this.#batcher.add(request.stream, writtenCommand(request));
  }

  readStream(stream: StreamName, { after, limit }: { readonly after: number; readonly limit: number }): Promise<readonly StoredEvent[]> {
    return this.#read(
      () => this.#sql<EventRow[]>`
        select ${this.#columns()} from es_event where stream = ${stream} and revision > ${after} order by es_event.revision limit ${limit}`,
    );
  }

  readAll({ after, limit }: { readonly after: number; readonly limit: number }): Promise<readonly StoredEvent[]> {
    return this.#read(
      () => this.#sql<EventRow[]>`
        select ${this.#columns()} from es_event where position > ${after} order by es_event.position limit ${limit}`,
    );
  }

  async head(): Promise<number> {
    const [row] = await reach(() => this.#sql<{ head: string }[]>`select coalesce(max(position), 0)::text as head from es_event`);
    return Number(row?.head ?? 0);
  }

  async listStreams({ prefix, after, limit }: { readonly prefix: string; readonly after: string; readonly limit: number }) {
    const rows = await reach(
      () => this.#sql<{ stream: string; revision: string }[]>`
        select first.stream, newest.revision::text as revision
        from es_event first
        cross join lateral (select e.revision from es_event e where e.stream = first.stream order by e.revision desc limit 1) newest
        where first.revision = 1 and first.stream >= ${prefix} and first.stream < ${prefix + lastCharacter} and first.stream > ${after}
        order by first.stream limit ${limit}`,
    );
    return rows.map(({ stream, revision }) => ({ stream: StreamName.parse(stream), revision: Number(revision) }));
  }

  onAppended(wake: () => void): () => void {
    return this.#wakeUps.subscribe(wake);
  }

  async close(): Promise<void> {
    await this.#batcher.idle();
    await this.#wakeUps[Symbol.asyncDispose]();
  }

  #columns() {
    return this.#sql.unsafe(eventColumns);
  }

  async #read(query: () => Promise<readonly EventRow[]>): Promise<readonly StoredEvent[]> {
    return (await reach(query)).map(storedOf);
  }

  async #appendAll(written: readonly WrittenCommand[]): Promise<readonly AppendResult[]> {
    const commands = JSON.stringify(written.map(({ command }, ordinal) => ({ ordinal, ...command })));
    const events = JSON.stringify(written.flatMap((one, ordinal) => one.events.map((event) => ({ ordinal, ...event }))));
    const rows = await reach(() => this.#appends<AnswerRow[]>`select * from es_append(${commands}::text::jsonb, ${events}::text::jsonb)`);
    const results = new Map(rows.map((row) => [row.ordinal, resultOf(row)]));
    this.#wakeUps.wake();
    return written.map((_, ordinal) => {
      const result = results.get(ordinal);
      if (result === undefined) throw new Error('es_append gave no answer for a command');
      return result;
    });
  }
}
