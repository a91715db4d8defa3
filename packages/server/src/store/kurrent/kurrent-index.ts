import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AllStreamSubscription, type KurrentDBClient, type Position, START, streamNameFilter } from '@kurrent/kurrentdb-client';
import type { Sql } from 'postgres';
import { StoreUnavailable } from '../../app/ports.ts';
import { reach } from '../reach.ts';
import { ForeignEvent, type IndexedEvent, indexedOf, type StreamHead } from './wire-event.ts';

const batchSize = 500;
/** Between two subscriptions, ms. The client does not subscribe again by itself. */
const retryMs = 250;
const maxHeads = 10_000;

/** Our streams, among KurrentDB's own. */
export const ours = streamNameFilter({ prefixes: ['session-', 'avatar-', 'tutor-', 'knowledge-', 'tenant-'] });

/** The database and the KurrentDB do not belong together, or history was taken from KurrentDB. */
export class LogDiverged extends Error {
  override readonly name = 'LogDiverged';
  constructor() {
    super(
      'KurrentDB does not hold the log that this database was made from: check KURRENTDB_URL and DATABASE_URL, and never scavenge our streams',
    );
  }
}

export interface IndexRow {
  readonly position: number;
  readonly at: Position;
  readonly stream: string;
  readonly revision: number;
}

export interface CommandRow {
  readonly stream: string;
  readonly fingerprint: string;
  readonly firstRevision: number;
  readonly lastRevision: number;
  readonly lastPosition: number;
}

interface Waiter {
  readonly at: Position;
  readonly resolve: () => void;
}

/**
 * Gives every event its dense position, in the order of $all, by one subscription for the whole node. What it knows lies in Postgres;
 * whatever is lost there is made again from the log.
 */
export class KurrentIndex {
  readonly #client: KurrentDBClient;
  readonly #sql: Sql;
  readonly #heads = new Map<string, StreamHead>();
  readonly #waiters = new Set<Waiter>();
  readonly #wakes = new Set<() => void>();
  readonly #closing = new AbortController();
  readonly #answerMs: number;
  readonly #onDefect: (error: unknown) => void;
  #last: { readonly position: number; readonly at: Position } | null = null;
  #running: Promise<void> = Promise.resolve();
  #subscription: AllStreamSubscription | null = null;

  private constructor({ client, sql, answerMs, onDefect }: KurrentIndexOptions) {
    this.#answerMs = answerMs;
    this.#client = client;
    this.#sql = sql;
    this.#onDefect = onDefect;
  }

  /** `check` is asked whether KurrentDB has the event that was indexed last. Throws `LogDiverged`. */
  static async open(options: KurrentIndexOptions, check: (row: IndexRow) => Promise<boolean>): Promise<KurrentIndex> {
    const index = new KurrentIndex(options);
    const last = await index.#lastRow();
    if (last !== null && !(await check(last))) throw new LogDiverged();
    index.#last = last;
    index.#running = index.#follow();
    return index;
  }

  /** Of the newest event indexed; 0: none. */
  get head(): number {
    return this.#last?.position ?? 0;
  }

  /** As of the index; null where it is not remembered. */
  remembered(stream: string): StreamHead | null {
    return this.#heads.get(stream) ?? null;
  }

  /** Resolves once the event at `at` is indexed. Throws `StoreUnavailable` when that takes too long. */
  async indexed(at: Position): Promise<void> {
    if (this.#has(at)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter = { at, resolve };
    this.#waiters.add(waiter);
    const late = new AbortController();
    try {
      await Promise.race([promise, sleep(this.#answerMs, 'late', { signal: late.signal }).then(() => this.#overdue())]);
    } finally {
      late.abort();
      this.#waiters.delete(waiter);
    }
  }

  async command(commandId: string): Promise<CommandRow | null> {
    const [row] = await reach(
      () => this.#sql<{ stream: string; fingerprint: string; first: string; last: string; position: string }[]>`
        select stream, fingerprint, first_revision::text as first, last_revision::text as last, last_position::text as position
        from es_kurrent_command where command_id = ${commandId}::uuid`,
    );
    if (row === undefined) return null;
    const { stream, fingerprint, first, last, position } = row;
    return { stream, fingerprint, firstRevision: Number(first), lastRevision: Number(last), lastPosition: Number(position) };
  }

  /** Revisions above `after` and their positions. */
  async ofStream(
    stream: string,
    { after, limit }: { readonly after: number; readonly limit: number },
  ): Promise<ReadonlyMap<number, number>> {
    const rows = await reach(
      () => this.#sql<{ revision: string; position: string }[]>`
        select revision::text as revision, position::text as position from es_kurrent_event
        where stream = ${stream} and revision > ${after} and revision <= ${after + limit}`,
    );
    return new Map(rows.map(({ revision, position }) => [Number(revision), Number(position)]));
  }

  /** From the position `from` on, that one included, oldest first. */
  async rows({ from, limit }: { readonly from: number; readonly limit: number }): Promise<readonly IndexRow[]> {
    const rows = await reach(
      () => this.#sql<RawRow[]>`
        select position::text as position, commit_position as commit, prepare_position as prepare, stream, revision::text as revision
        from es_kurrent_event where position >= ${from} and position <= ${this.head} order by es_kurrent_event.position limit ${limit}`,
    );
    return rows.map(indexRow);
  }

  async streams({ prefix, after, limit }: { readonly prefix: string; readonly after: string; readonly limit: number }) {
    return reach(
      () => this.#sql<{ stream: string; revision: string }[]>`
        select stream, max(revision)::text as revision from es_kurrent_event
        where starts_with(stream, ${prefix}) and stream > ${after} group by stream order by stream limit ${limit}`,
    );
  }

  onIndexed(wake: () => void): () => void {
    this.#wakes.add(wake);
    return () => this.#wakes.delete(wake);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#subscription?.unsubscribe().catch(() => undefined);
    await this.#running;
  }

  #has(at: Position): boolean {
    return this.#last !== null && !isBefore(this.#last.at, at);
  }

  /** A subscription that brings nothing is dead, whatever it says of itself. */
  #overdue(): never {
    this.#subscription?.destroy();
    throw new StoreUnavailable('KurrentDB does not tell of what it stored');
  }

  async #lastRow(): Promise<IndexRow | null> {
    const [row] = await reach(
      () => this.#sql<RawRow[]>`
        select position::text as position, commit_position as commit, prepare_position as prepare, stream, revision::text as revision
        from es_kurrent_event order by es_kurrent_event.position desc limit 1`,
    );
    return row === undefined ? null : indexRow(row);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#subscribe(signal);
      } catch (error) {
        // A dropped subscription is ordinary; what KurrentDB or Postgres says of it is of no use to anybody.
        if (error instanceof LogDiverged || error instanceof ForeignEvent) {
          this.#onDefect(error);
          return;
        }
      }
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #subscribe(signal: AbortSignal): Promise<void> {
    const subscription = this.#client.subscribeToAll({ fromPosition: this.#last?.at ?? START, filter: ours }, { highWaterMark: batchSize });
    this.#subscription = subscription;
    const dropped = new AbortController();
    const drop = () => dropped.abort();
    for (const event of ['error', 'end', 'close']) subscription.on(event, drop);
    const ended = AbortSignal.any([signal, dropped.signal]);
    try {
      while (!ended.aborted) {
        const batch = taken(subscription);
        if (batch.length === 0) await once(subscription, 'readable', { signal: ended });
        else await this.#take(batch.filter(({ at }) => !this.#has(at)));
      }
    } finally {
      subscription.destroy();
      await subscription.unsubscribe().catch(() => undefined);
    }
  }

  async #take(batch: readonly IndexedEvent[]): Promise<void> {
    const newest = batch.at(-1);
    if (newest === undefined) return;
    const first = this.head + 1;
    await this.#write(batch.map((event, index) => ({ ...event, position: first + index })));
    if (this.#heads.size > maxHeads) this.#heads.clear();
    for (const { stream, head } of batch) this.#heads.set(stream, head);
    this.#last = { position: first + batch.length - 1, at: newest.at };
    for (const waiter of this.#waiters) if (this.#has(waiter.at)) waiter.resolve();
    for (const wake of this.#wakes) wake();
  }

  /** Other nodes write the same rows; other rows mean another history. */
  async #write(batch: readonly (IndexedEvent & { readonly position: number })[]): Promise<void> {
    const events = batch.map(({ position, at, stream, head }) => ({
      ...{ position, stream, revision: head.revision },
      commit_position: at.commit.toString(),
      prepare_position: at.prepare.toString(),
    }));
    const commands = batch.flatMap(({ position, stream, head, command: { id, fingerprint, index, of } }) =>
      index + 1 < of
        ? []
        : [
            {
              command_id: id,
              stream,
              fingerprint,
              first_revision: head.revision - index,
              last_revision: head.revision,
              last_position: position,
            },
          ],
    );
    const [eventsText, commandsText] = [JSON.stringify(events), JSON.stringify(commands)];
    await reach(() =>
      this.#sql.begin(async (tx) => {
        await tx`insert into es_kurrent_event select * from jsonb_populate_recordset(null::es_kurrent_event, ${eventsText}::text::jsonb)
          on conflict do nothing`;
        await tx`insert into es_kurrent_command select * from jsonb_populate_recordset(null::es_kurrent_command, ${commandsText}::text::jsonb)
          on conflict do nothing`;
        const [same] = await tx<{ count: string }[]>`
          select count(*)::text as count from es_kurrent_event
          join jsonb_populate_recordset(null::es_kurrent_event, ${eventsText}::text::jsonb) given
            using (position, commit_position, prepare_position, stream, revision)`;
        if (same?.count !== String(batch.length)) throw new LogDiverged();
      }),
    );
  }
}

export interface KurrentIndexOptions {
  readonly client: KurrentDBClient;
  readonly sql: Sql;
  /** An event that was stored must come back by the subscription within this time, ms. */
  readonly answerMs: number;
  readonly onDefect: (error: unknown) => void;
}

interface RawRow {
  readonly position: string;
  readonly commit: string;
  readonly prepare: string;
  readonly stream: string;
  readonly revision: string;
}

function indexRow({ position, commit, prepare, stream, revision }: RawRow): IndexRow {
  return { position: Number(position), at: { commit: BigInt(commit), prepare: BigInt(prepare) }, stream, revision: Number(revision) };
}

function isBefore(one: Position, other: Position): boolean {
  return one.commit < other.commit || (one.commit === other.commit && one.prepare < other.prepare);
}

/** What has arrived, without waiting. */
function taken(subscription: AllStreamSubscription): readonly IndexedEvent[] {
  const batch: IndexedEvent[] = [];
  while (batch.length < batchSize) {
    const resolved = subscription.read();
    if (resolved === null) break;
    if (resolved.event !== undefined) batch.push(indexedOf(resolved.event));
  }
  return batch;
}
