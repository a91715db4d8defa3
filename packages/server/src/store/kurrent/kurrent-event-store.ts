import { setTimeout as sleep } from 'node:timers/promises';
import {
  BACKWARDS,
  END,
  KurrentDBClient,
  MaxAppendSizeExceededError,
  NO_STREAM,
  type RecordedEvent,
  type ResolvedEvent,
  START,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@kurrent/kurrentdb-client';
import { StreamName } from '@virtual-tutor/schemas';
import type { Sql } from 'postgres';
import { chainSeed } from '../../app/chain.ts';
import { type AppendRequest, type AppendResult, type EventStore, type StoredEvent, StoreUnavailable } from '../../app/ports.ts';
import { StatementRefused } from '../reach.ts';
import { KurrentIndex, ours } from './kurrent-index.ts';
import { indexedOf, type StreamHead, storedOf, wireEvents } from './wire-event.ts';

/** Tries of one append against a KurrentDB that stores and does not answer, or against other writers. */
const maxAttempts = 5;
const retryMs = 100;

export interface KurrentOptions {
  /** `kurrentdb://user:password@host:2113?tls=…`. */
  readonly url: string;
  /** Of the read model: the index lies there. */
  readonly sql: Sql;
  /** Longest wait for any one answer, ms; 5 000. The client's own deadline does not end an append that nobody answers. */
  readonly answerMs?: number;
  readonly onDefect: (error: unknown) => void;
}

interface Connection {
  readonly client: KurrentDBClient;
  readonly answerMs: number;
}

/**
 * The log in KurrentDB. Each append goes out with an exact revision and ids that depend on its command alone, so that trying again is
 * always safe. An event is visible once the node's one subscription has indexed it; an append resolves no earlier.
 */
export class KurrentEventStore implements EventStore {
  readonly #client: KurrentDBClient;
  readonly #answerMs: number;
  readonly #index: KurrentIndex;
  /** Commands and streams with an append under way. */
  readonly #queues = new Map<string, Promise<unknown>>();

  private constructor({ client, answerMs }: Connection, index: KurrentIndex) {
    this.#client = client;
    this.#answerMs = answerMs;
    this.#index = index;
  }

  /** Throws `StoreUnavailable`, and `LogDiverged` where the index was made from another log. */
  static async open({ url, sql, answerMs = 5_000, onDefect }: KurrentOptions): Promise<KurrentEventStore> {
    const client = KurrentDBClient.connectionString(url);
    try {
      const index = await KurrentIndex.open({ client, sql, answerMs, onDefect }, async ({ stream, revision, at }) => {
        const [event] = await read(answerMs, client.readStream(stream, { fromRevision: BigInt(revision - 1), maxCount: 1 }));
        return event?.position?.prepare === at.prepare;
      });
      const store = new KurrentEventStore({ client, answerMs }, index);
      await store.head();
      return store;
    } catch (error) {
      await client.dispose();
      throw error;
    }
  }

  append(request: AppendRequest): Promise<AppendResult> {
    return this.#alone(request.commandId, () => this.#alone(request.stream, () => this.#append(request)));
  }

  async readStream(stream: StreamName, range: { readonly after: number; readonly limit: number }): Promise<readonly StoredEvent[]> {
    const events = await read(
      this.#answerMs,
      this.#client.readStream(stream, { fromRevision: BigInt(range.after), maxCount: range.limit }),
    );
    const positions = await this.#index.ofStream(stream, range);
    return events.flatMap((event) => {
      const position = positions.get(Number(event.revision) + 1);
      return position === undefined ? [] : [storedOf(event, position)];
    });
  }

  async readAll({ after, limit }: { readonly after: number; readonly limit: number }): Promise<readonly StoredEvent[]> {
    // From the event before the first wanted: whether a read includes its start is the server's to say.
    const rows = await this.#index.rows({ from: Math.max(after, 1), limit: limit + 1 });
    const wanted = rows.filter(({ position }) => position > after).slice(0, limit);
    const [first] = wanted;
    if (first === undefined) return [];
    const fromPosition = after === 0 ? START : (rows[0]?.at ?? START);
    const events = await read(this.#answerMs, this.#client.readAll({ fromPosition, maxCount: wanted.length + 1, filter: ours }));
    const byPlace = new Map(events.map((event) => [event.position?.prepare, event]));
    return wanted.map(({ position, at }) => {
      const event = byPlace.get(at.prepare);
      if (event === undefined) throw new StoreUnavailable(`KurrentDB does not show event ${position}`);
      return storedOf(event, position);
    });
  }

  async head(): Promise<number> {
    const [newest] = await read(
      this.#answerMs,
      this.#client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1, filter: ours }),
    );
    if (newest?.position !== undefined) await this.#index.indexed(newest.position);
    return this.#index.head;
  }

  async listStreams(range: { readonly prefix: string; readonly after: string; readonly limit: number }) {
    const rows = await this.#index.streams(range);
    return rows.map(({ stream, revision }) => ({ stream: StreamName.parse(stream), revision: Number(revision) }));
  }

  onAppended(wake: () => void): () => void {
    return this.#index.onIndexed(wake);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#queues.values());
    await this.#index.close();
    await this.#client.dispose();
  }

  async #append(request: AppendRequest): Promise<AppendResult> {
    let head = this.#index.remembered(request.stream);
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const known = await this.#answered(request, 'duplicate');
      if (known !== null) return known;
      if (head !== null && fits(request, head) && (await this.#stored(request, head))) {
        const answer = await this.#answered(request, 'appended');
        if (answer !== null) return answer;
      }
      head = await this.#newestOf(request.stream);
      if (!fits(request, head))
        return (await this.#answered(request, 'duplicate')) ?? { status: 'conflict', actualRevision: head.revision };
    }
    throw new StoreUnavailable('KurrentDB did not say whether it stored this');
  }

  /** False: not at this revision, or nobody knows. */
  async #stored(request: AppendRequest, head: StreamHead): Promise<boolean> {
    const events = wireEvents(request, head);
    const streamState = head.revision === 0 ? NO_STREAM : BigInt(head.revision - 1);
    try {
      const { position } = await timely(this.#answerMs, this.#client.appendToStream(request.stream, [...events], { streamState }));
      if (position !== undefined) await this.#index.indexed(position);
      return true;
    } catch (error) {
      if (error instanceof MaxAppendSizeExceededError)
        throw new StatementRefused('KurrentDB refused an append as too large', { cause: error });
      if (!(error instanceof WrongExpectedVersionError)) await sleep(retryMs);
      return false;
    }
  }

  /** What the first time's answer was, if the command is in the log. */
  async #answered({ commandId, stream, fingerprint }: AppendRequest, status: 'appended' | 'duplicate'): Promise<AppendResult | null> {
    const known = await this.#index.command(commandId);
    if (known === null) return null;
    if (known.stream !== stream || known.fingerprint !== fingerprint) return { status: 'command_reused' };
    const { firstRevision, lastRevision, lastPosition } = known;
    return { status, firstRevision, lastRevision, lastPosition };
  }

  /** As KurrentDB has it now, and indexed. */
  async #newestOf(stream: StreamName): Promise<StreamHead> {
    const [newest] = await read(this.#answerMs, this.#client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 1 }));
    if (newest === undefined) return { revision: 0, hash: chainSeed(stream) };
    const { at, head } = indexedOf(newest);
    await this.#index.indexed(at);
    return head;
  }

  /** One at a time for each key. */
  async #alone<T>(key: string, work: () => Promise<T>): Promise<T> {
    const run = (this.#queues.get(key) ?? Promise.resolve()).then(work);
    const settled = run.catch(() => undefined);
    this.#queues.set(key, settled);
    try {
      return await run;
    } finally {
      if (this.#queues.get(key) === settled) this.#queues.delete(key);
    }
  }
}

function fits({ expected }: AppendRequest, { revision }: StreamHead): boolean {
  return expected === 'any' || (expected === 'none' ? 0 : expected) === revision;
}

async function timely<T>(answerMs: number, call: Promise<T>): Promise<T> {
  const late = new AbortController();
  try {
    return await Promise.race([
      call,
      sleep(answerMs, undefined, { signal: late.signal }).then(() => {
        throw new StoreUnavailable('KurrentDB does not answer');
      }),
    ]);
  } finally {
    late.abort();
    call.catch(() => undefined);
  }
}

/** All that a read brings; nothing where there is no such stream. */
function read(answerMs: number, source: AsyncIterable<ResolvedEvent>): Promise<readonly RecordedEvent[]> {
  return timely(
    answerMs,
    (async () => {
      const events: RecordedEvent[] = [];
      try {
        for await (const { event } of source) if (event !== undefined) events.push(event);
      } catch (error) {
        if (error instanceof StreamNotFoundError) return [];
        throw new StoreUnavailable('KurrentDB cannot be read', { cause: error });
      }
      return events;
    })(),
  );
}
