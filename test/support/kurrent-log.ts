/** What the stand-in keeps: KurrentDB's rules for streams, expectations and repeated event ids, in memory. */

export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface RecordedEvent extends ProposedEvent {
  readonly stream: string;
  /** From 0. */
  readonly revision: number;
  /** Sparse: where the record would begin in a transaction file. */
  readonly position: number;
  readonly createdMs: number;
}

/** A revision from 0, or one of KurrentDB's words for it. */
export type StreamState = number | 'any' | 'no_stream' | 'stream_exists';

export type AppendOutcome =
  | { readonly stored: true; readonly last: RecordedEvent }
  /** Null: there is no such stream. */
  | { readonly stored: false; readonly current: number | null };

export class KurrentLog {
  readonly #all: RecordedEvent[] = [];
  readonly #streams = new Map<string, RecordedEvent[]>();
  readonly #listeners = new Set<(event: RecordedEvent) => void>();
  #nextPosition = 0;

  constructor() {
    // A server writes events of its own from the first second.
    this.append('$settings', 'any', [{ ...ownEvent, id: '00000000-0000-4000-8000-000000000001' }]);
  }

  get all(): readonly RecordedEvent[] {
    return this.#all;
  }

  stream(name: string): readonly RecordedEvent[] {
    return this.#streams.get(name) ?? [];
  }

  append(name: string, expected: StreamState, events: readonly ProposedEvent[]): AppendOutcome {
    const stream = this.#streams.get(name) ?? [];
    const current = stream.length - 1;
    const wanted = { any: current, no_stream: -1, stream_exists: Math.max(current, 0) };
    const at = typeof expected === 'number' ? expected : wanted[expected];
    const repeated = this.#repeated(stream, at, events);
    if (repeated !== undefined) return { stored: true, last: repeated };
    if (at !== current) return { stored: false, current: current === -1 ? null : current };
    for (const event of events) this.#record(name, stream, event);
    this.#streams.set(name, stream);
    const last = stream.at(-1);
    if (last === undefined) throw new Error('an append has events');
    return { stored: true, last };
  }

  onEvent(listener: (event: RecordedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The same ids at the same place are the same write (server documentation, "Idempotence"). */
  #repeated(stream: readonly RecordedEvent[], at: number, events: readonly ProposedEvent[]): RecordedEvent | undefined {
    const there = stream.slice(at + 1, at + 1 + events.length);
    return there.length > 0 && there.length === events.length && there.every(({ id }, index) => id === events[index]?.id)
      ? there.at(-1)
      : undefined;
  }

  #record(name: string, stream: RecordedEvent[], event: ProposedEvent): void {
    const recorded = { ...event, stream: name, revision: stream.length, position: this.#nextPosition, createdMs: Date.now() };
    this.#nextPosition += 120 + event.data.length + event.metadata.length;
    stream.push(recorded);
    this.#all.push(recorded);
    for (const listener of this.#listeners) listener(recorded);
  }
}

const ownEvent = { type: '$UserCreated', contentType: 'application/json', data: Buffer.from('{}'), metadata: Buffer.from('{}') };
