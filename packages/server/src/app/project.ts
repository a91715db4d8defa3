import { setTimeout as sleep } from 'node:timers/promises';
import { type ClearEvent, decodeClear, UnknownEvent } from './event-codec.ts';
import { type EventStore, type StoredEvent, StoreUnavailable } from './ports.ts';
import type { Placing, Projection } from './projections/projection.ts';
import type { ProjectionStatus, Projections } from './read-model.ts';

/** One generation of one projection, claimed by this node. */
export interface Lane {
  readonly projection: string;
  readonly generation: number;
  /** Rises with every claim: a batch of an older one is refused. */
  readonly epoch: number;
  readonly position: number;
  readonly state: 'active' | 'rebuilding';
}

export interface LaneWrites {
  readonly lane: Lane;
  readonly position: number;
  /** Null: the row goes. */
  readonly rows: ReadonlyMap<string, Placing | null>;
}

/** Where projections keep their rows and how far they are; one transaction per batch. Throws `StoreUnavailable`. */
export interface ProjectionStore {
  /** First generations of projections that have none; new ones where the fold's version rose. */
  prepare(projections: readonly { readonly name: string; readonly version: number }[]): Promise<void>;
  /** Takes every lane that is free, ours, or left by a node that died. */
  claim(owner: string, leaseMs: number): Promise<readonly Lane[]>;
  load(lane: Lane, keys: readonly string[]): Promise<ReadonlyMap<string, unknown>>;
  /** All or nothing. `fenced`: another node claimed one of the lanes meanwhile. */
  commit(writes: readonly LaneWrites[], leaseMs: number): Promise<'committed' | 'fenced'>;
  park(lane: Lane, error: string): Promise<void>;
  /** The new generation serves from here on, and the old one's rows are gone. */
  swap(lane: Lane): Promise<void>;
  rebuild(name: string): Promise<number | null>;
  /** Of the active generations. */
  positions(): Promise<readonly number[]>;
  list(): Promise<readonly Omit<ProjectionStatus, 'lag'>[]>;
  /** Lets go, so that another node need not wait for the lease. */
  release(owner: string): Promise<void>;
}

export interface ProjectorOptions {
  readonly events: EventStore;
  readonly store: ProjectionStore;
  readonly projections: readonly Projection[];
  /** Name of this node. */
  readonly owner: string;
  /** Events per transaction; default 500. */
  readonly batchSize?: number;
  readonly onDefect: (error: unknown) => void;
}

const leaseMs = 15_000;
const retryMs = 250;
/** How often a node without lanes looks for some, ms. */
const standbyMs = 2_000;
const waitTimeoutMs = 10_000;
const waitPollMs = 15;

/** Runs the projections that this node owns, all in step and over one reading of the log. */
export class Projector implements Projections {
  readonly #options: ProjectorOptions;
  readonly #byName: ReadonlyMap<string, Projection>;
  readonly #closing = new AbortController();
  readonly #progress = new Set<() => void>();
  #lanes: readonly Lane[] = [];
  #news = Promise.withResolvers<void>();
  #reclaim = true;
  #running: Promise<void> = Promise.resolve();

  private constructor(options: ProjectorOptions) {
    this.#options = options;
    this.#byName = new Map(options.projections.map((projection) => [projection.name, projection]));
  }

  static async start(options: ProjectorOptions): Promise<Projector> {
    const projector = new Projector(options);
    await options.store.prepare(options.projections.map(({ name, version }) => ({ name, version })));
    projector.#running = projector.#run();
    return projector;
  }

  async waitFor(position: number): Promise<void> {
    const deadline = Date.now() + waitTimeoutMs;
    while (!(await this.#hasPassed(position))) {
      if (Date.now() >= deadline) throw new StoreUnavailable('the read model did not catch up in time');
      await this.#nextProgress();
    }
  }

  async list(): Promise<readonly ProjectionStatus[]> {
    const [head, lanes] = await Promise.all([this.#options.events.head(), this.#options.store.list()]);
    return lanes.map((lane) => ({ ...lane, lag: Math.max(0, head - lane.position) }));
  }

  async rebuild(name: string): Promise<{ readonly name: string; readonly generation: number } | null> {
    if (!this.#byName.has(name)) return null;
    const generation = await this.#options.store.rebuild(name);
    if (generation === null) return null;
    this.#reclaim = true;
    this.#news.resolve();
    return { name, generation };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#news.resolve();
    await this.#running;
    await this.#options.store.release(this.#options.owner).catch(() => undefined);
  }

  /** From memory where this node runs all active lanes, else from the checkpoints. */
  async #hasPassed(position: number): Promise<boolean> {
    const mine = this.#lanes.filter(({ state }) => state === 'active');
    if (mine.length === this.#byName.size) return mine.every((lane) => lane.position >= position);
    return (await this.#options.store.positions()).every((reached) => reached >= position);
  }

  async #nextProgress(): Promise<void> {
    const progress = Promise.withResolvers<void>();
    this.#progress.add(progress.resolve);
    await Promise.race([progress.promise, sleep(waitPollMs)]);
    this.#progress.delete(progress.resolve);
  }

  async #run(): Promise<void> {
    const unsubscribe = this.#options.events.onAppended(() => this.#news.resolve());
    let claimedAt = 0;
    while (!this.#closing.signal.aborted) {
      this.#news = Promise.withResolvers<void>();
      try {
        if (this.#reclaim || Date.now() - claimedAt > (this.#lanes.length === 0 ? standbyMs : leaseMs / 3)) {
          this.#reclaim = false;
          claimedAt = Date.now();
          this.#lanes = await this.#options.store.claim(this.#options.owner, leaseMs);
        }
        while ((await this.#step()) && !this.#reclaim && !this.#closing.signal.aborted);
        await Promise.race([this.#news.promise, sleep(standbyMs, undefined, { signal: this.#closing.signal })]).catch(() => undefined);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) this.#options.onDefect(error);
        this.#reclaim = true;
        await sleep(retryMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      }
    }
    unsubscribe();
  }

  /** One batch for those that serve, one for those being rebuilt: a long rebuild holds nothing up. False: there was nothing to do. */
  async #step(): Promise<boolean> {
    const served = await this.#stepOf('active');
    const rebuilt = await this.#stepOf('rebuilding');
    return served || rebuilt;
  }

  async #stepOf(state: Lane['state']): Promise<boolean> {
    const lanes = this.#lanes.filter((lane) => lane.state === state);
    if (lanes.length === 0) return false;
    const from = Math.min(...lanes.map(({ position }) => position));
    const group = lanes.filter(({ position }) => position === from);
    const limit = this.#options.batchSize ?? 500;
    const page = await this.#options.events.readAll({ after: from, limit });
    const gap = page.findIndex((event, index) => event.position !== from + index + 1);
    if (gap !== -1) throw new Error(`the log skips at position ${from + gap + 1}`);
    const last = page.at(-1);
    if (last === undefined) return state === 'rebuilding' && this.#swap(group);
    const writes = await this.#foldAll(group, page, last.position);
    const outcome = writes.length === 0 ? 'committed' : await this.#options.store.commit(writes, leaseMs);
    if (outcome === 'fenced') {
      this.#lanes = [];
      this.#reclaim = true;
      return false;
    }
    const reached = new Map(writes.map(({ lane, position }) => [lane, position]));
    // A lane that was parked has no place here any more.
    this.#lanes = this.#lanes.flatMap((lane) => {
      if (!group.includes(lane)) return [lane];
      const position = reached.get(lane);
      return position === undefined ? [] : [{ ...lane, position }];
    });
    for (const progress of this.#progress) progress();
    return true;
  }

  async #foldAll(group: readonly Lane[], page: readonly StoredEvent[], position: number): Promise<readonly LaneWrites[]> {
    let events: readonly (ClearEvent | null)[] | undefined;
    const writes: LaneWrites[] = [];
    for (const lane of group) {
      const projection = this.#byName.get(lane.projection);
      if (projection === undefined) continue;
      try {
        events ??= page.map(decodeOrNull);
        writes.push({ lane, position, rows: await this.#fold(lane, projection, events) });
      } catch (error) {
        if (error instanceof StoreUnavailable) throw error;
        this.#options.onDefect(error);
        await this.#options.store.park(lane, `${error instanceof Error ? error.name : 'error'} after position ${lane.position}`);
      }
    }
    return writes;
  }

  async #fold(lane: Lane, projection: Projection, events: readonly (ClearEvent | null)[]): Promise<ReadonlyMap<string, Placing | null>> {
    const keyed = events.flatMap((event) => {
      const key = event === null ? null : projection.keyOf(event);
      return event === null || key === null ? [] : [{ key, event }];
    });
    const keys = [...new Set(keyed.map(({ key }) => key))];
    const before = keys.length === 0 ? new Map<string, unknown>() : await this.#options.store.load(lane, keys);
    const rows = new Map<string, Placing | null>();
    for (const { key, event } of keyed) {
      const stored = before.get(key);
      const row = rows.has(key) ? (rows.get(key) ?? null) : stored === undefined ? null : projection.parse(stored);
      rows.set(key, projection.evolve(row, event));
    }
    return rows;
  }

  /** At the head: the new generations take over. */
  async #swap(group: readonly Lane[]): Promise<false> {
    for (const lane of group) await this.#options.store.swap(lane);
    this.#reclaim = true;
    return false;
  }
}

/** Events of a newer engine are left out: this version's folds do not know them. */
function decodeOrNull(stored: StoredEvent): ClearEvent | null {
  try {
    return decodeClear(stored);
  } catch (error) {
    if (error instanceof UnknownEvent) return null;
    throw error;
  }
}
