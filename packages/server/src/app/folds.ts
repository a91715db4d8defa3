import type { StreamName, TenantId } from '@virtual-tutor/schemas';
import type { Decider } from '../domain/decision.ts';
import type { DomainEvent, EventCodec, NewDomainEvent } from './event-codec.ts';
import type { EventStore, Subject } from './ports.ts';

/** A decider with what the app must know to store its events. */
export interface Aggregate<State, Command, Event extends DomainEvent, NewEvent extends NewDomainEvent>
  extends Decider<State, Command, Event, NewEvent> {
  /** Whose personal data its events hold. */
  subjectOf(state: State, stream: StreamName): Omit<Subject, 'tenantId'> | null;
  /** Narrows an opened event to its stream's types. */
  eventOf(event: DomainEvent): Event;
}

export interface Loaded<State> {
  readonly state: State;
  /** 0: the stream does not exist. */
  readonly revision: number;
  /** Null: the stream does not exist. */
  readonly tenantId: TenantId | null;
}

/** Folded streams kept in memory, at most this many, least recently used out first. */
const maxCached = 2_000;
const pageSize = 500;

/** States of streams, folded from the log and kept while they are in use. */
export class Folds {
  readonly #store: EventStore;
  readonly #codec: EventCodec;
  readonly #cache = new Map<StreamName, Loaded<unknown>>();

  constructor(store: EventStore, codec: EventCodec) {
    this.#store = store;
    this.#codec = codec;
  }

  /** Up to date with the log. */
  async load<S, C, E extends DomainEvent, N extends NewDomainEvent>(
    aggregate: Aggregate<S, C, E, N>,
    stream: StreamName,
  ): Promise<Loaded<S>> {
    const loaded = await this.#fold(aggregate, { stream, from: this.cached<S>(stream) ?? absent(aggregate.initial) });
    if (loaded.revision > 0) this.remember(stream, loaded);
    return loaded;
  }

  /** The state right after `revision`. */
  loadAt<S, C, E extends DomainEvent, N extends NewDomainEvent>(
    aggregate: Aggregate<S, C, E, N>,
    stream: StreamName,
    revision: number,
  ): Promise<Loaded<S>> {
    return this.#fold(aggregate, { stream, from: absent(aggregate.initial), until: revision });
  }

  /** Perhaps behind the log: good enough to decide on, since the expected revision refuses a stale decision. */
  cached<S>(stream: StreamName): Loaded<S> | undefined {
    const entry = this.#cache.get(stream);
    // Streams are named by category, so one stream's entry always comes from the same aggregate.
    return entry === undefined ? undefined : (entry as Loaded<S>);
  }

  remember<S>(stream: StreamName, loaded: Loaded<S>): void {
    this.#cache.delete(stream);
    this.#cache.set(stream, loaded);
    if (this.#cache.size <= maxCached) return;
    const oldest = this.#cache.keys().next();
    if (oldest.done !== true) this.#cache.delete(oldest.value);
  }

  drop(stream: StreamName): void {
    this.#cache.delete(stream);
  }

  /** Drops plaintext kept in memory, after a student was forgotten. */
  clear(): void {
    this.#cache.clear();
  }

  async #fold<S, C, E extends DomainEvent, N extends NewDomainEvent>(
    aggregate: Aggregate<S, C, E, N>,
    { stream, from, until = Number.POSITIVE_INFINITY }: { readonly stream: StreamName; readonly from: Loaded<S>; readonly until?: number },
  ): Promise<Loaded<S>> {
    let { state, revision, tenantId } = from;
    for (;;) {
      const limit = Math.min(pageSize, until - revision);
      if (limit <= 0) return { state, revision, tenantId };
      const page = await this.#store.readStream(stream, { after: revision, limit });
      for (const stored of page) {
        state = aggregate.evolve(state, aggregate.eventOf(await this.#codec.open(stored)));
        revision = stored.revision;
        tenantId = stored.meta.tenantId;
      }
      if (page.length < limit) return { state, revision, tenantId };
    }
  }
}

function absent<S>(state: S): Loaded<S> {
  return { state, revision: 0, tenantId: null };
}
