import { setTimeout as sleep } from 'node:timers/promises';
import { CatchUp } from './catch-up.ts';
import { type EventStore, type StoredEvent, StoreUnavailable } from './ports.ts';
import type { Lane, LaneWrites, ProjectionStore } from './projection-store.ts';
import { foldPlan, keysOf, planOf, readPage } from './projections/fold-page.ts';
import type { Projection } from './projections/projection.ts';
import type { ProjectionStatus, Projections } from './read-model.ts';

export interface ProjectorOptions {
  readonly events: Pick<EventStore, 'readAll' | 'head' | 'onAppended'>;
  readonly store: ProjectionStore;
  readonly projections: readonly Projection[];
  /** Name of this node: after a crash it takes its lanes back at once. */
  readonly owner: string;
  /** Events per transaction, 1 to 1000; default 500. */
  readonly batchSize?: number;
  readonly onDefect: (error: unknown) => void;
}

/** A node that died is replaced after this long, ms. */
const leaseMs = 5_000;
/** Less than a third of the lease, so that one failed renewal does not lose it. */
const claimEveryMs = 1_500;
const retryMs = 250;
/** While nobody waits, events gather this long, so that many lessons share one transaction, ms. */
const gatherMs = 50;
const startPollMs = 20;
/** Rows of a dead generation per transaction. */
const sweepSize = 2_000;

type Waker = 'news' | 'waiting' | 'closing';

/** Runs the projections that this node owns, all in step and over one reading of the log. */
export class Projector implements Projections {
  readonly #options: ProjectorOptions;
  readonly #byName: ReadonlyMap<string, Projection>;
  readonly #catchUp: CatchUp;
  #lanes: readonly Lane[] = [];
  /** Something was appended since the log was last read. */
  #hasNews = true;
  #wake: (waker: Waker) => void = () => {};
  #claimAtMs = 0;
  #sweeping = true;
  #closed = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(options: ProjectorOptions) {
    this.#options = options;
    this.#byName = new Map(options.projections.map((projection) => [projection.name, projection]));
    this.#catchUp = new CatchUp({
      ask: async () => (this.#runsAll() ? null : options.store.reached(options.projections)),
      onWaiting: () => this.#wake('waiting'),
    });
  }

  /** Resolves once the read model is built by these very folds and holds all that is in the log now. */
  static async start(options: ProjectorOptions): Promise<Projector> {
    const projector = new Projector(options);
    await options.store.prepare(options.projections);
    const head = await options.events.head();
    projector.#running = projector.#run();
    try {
      await projector.#built(head);
      return projector;
    } catch (error) {
      await projector.close();
      throw error;
    }
  }

  waitFor(position: number): Promise<void> {
    return this.#catchUp.waitFor(position);
  }

  async list(): Promise<readonly ProjectionStatus[]> {
    const [head, lanes] = await Promise.all([this.#options.events.head(), this.#options.store.list()]);
    return lanes
      .filter(({ name }) => this.#byName.has(name))
      .map(({ version: _, state, ...lane }) => ({
        ...lane,
        state: state === 'parked_rebuild' ? 'parked' : state,
        lag: Math.max(0, head - lane.position),
      }));
  }

  async rebuild(name: string): Promise<{ readonly name: string; readonly generation: number } | null> {
    const projection = this.#byName.get(name);
    if (projection === undefined) return null;
    const generation = await this.#options.store.rebuild(projection);
    this.#claimAtMs = 0;
    this.#onNews();
    return { name, generation };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake('closing');
    this.#catchUp.close();
    await this.#running;
    await this.#options.store.release(this.#options.owner).catch(() => undefined);
  }

  async #built(head: number): Promise<void> {
    for (;;) {
      const lanes = await this.#options.store.list();
      const own = this.#options.projections.map(({ name, version }) =>
        lanes.filter((lane) => lane.name === name && lane.version === version),
      );
      const broken = own.flat().find(({ state }) => state === 'parked_rebuild');
      if (broken !== undefined) throw new Error(`the projection ${broken.name} cannot be built: ${broken.error}`);
      const serves = own.every((built) =>
        built.some(({ state, position }) => state === 'parked' || (state === 'active' && position >= head)),
      );
      if (serves) return;
      await sleep(startPollMs);
    }
  }

  async #run(): Promise<void> {
    const unsubscribe = this.#options.events.onAppended(() => this.#onNews());
    while (!this.#closed) {
      try {
        if (performance.now() >= this.#claimAtMs) await this.#claim();
        // Before the log is read: what is appended from here on is news again.
        this.#hasNews = false;
        const more = await this.#step();
        if (!more) await this.#idle();
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) this.#options.onDefect(error);
        this.#claimAtMs = 0;
        await this.#pause(retryMs, ['closing']);
      }
    }
    unsubscribe();
  }

  #onNews(): void {
    this.#hasNews = true;
    this.#wake('news');
  }

  async #idle(): Promise<void> {
    if (!this.#hasNews) await this.#pause(this.#claimAtMs - performance.now(), ['news', 'waiting', 'closing']);
    if (this.#hasNews && !this.#catchUp.isWaitedFor) await this.#pause(gatherMs, ['waiting', 'closing']);
  }

  async #pause(ms: number, until: readonly Waker[]): Promise<void> {
    if (this.#closed) return;
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, Math.max(0, ms));
    this.#wake = (waker) => {
      if (until.includes(waker)) over.resolve();
    };
    await over.promise;
    clearTimeout(timer);
  }

  async #claim(): Promise<void> {
    this.#claimAtMs = performance.now() + claimEveryMs;
    const { store, projections, owner } = this.#options;
    this.#lanes = await store.claim(projections, { owner, leaseMs });
    this.#tell();
  }

  /** Another node claimed a lane, or it is gone, or it serves now: see what is ours. */
  #claimAgain(): void {
    this.#lanes = [];
    this.#claimAtMs = 0;
  }

  #runsAll(): boolean {
    return this.#lanes.filter(({ state }) => state === 'active').length === this.#byName.size;
  }

  #tell(): void {
    const serving = this.#lanes.filter(({ state }) => state === 'active');
    if (this.#runsAll()) this.#catchUp.pass(Math.min(...serving.map(({ position }) => position)));
  }

  /** One batch for those that serve, one for those being rebuilt: a long rebuild holds nothing up. True: there is more to do. */
  async #step(): Promise<boolean> {
    // Lanes that stand at one position share one reading of the log.
    const groups = (state: Lane['state']) =>
      [...Map.groupBy(this.#lanes, (lane) => (lane.state === state ? lane.position : null))].flatMap(([from, lanes]) =>
        from === null ? [] : [{ from, lanes }],
      );
    let more = false;
    for (const { from, lanes } of groups('active')) if (await this.#advance(lanes, from)) more = true;
    // Of rebuilds begun one after the other the last goes first, until it has caught up and shares.
    const [last] = groups('rebuilding').toSorted((a, b) => a.from - b.from);
    if (last !== undefined && (await this.#advance(last.lanes, last.from))) more = true;
    // Work that nobody waits for.
    if (!more && this.#sweeping) this.#sweeping = (await this.#options.store.sweep(sweepSize)) > 0;
    return more || this.#sweeping;
  }

  async #advance(group: readonly Lane[], from: number): Promise<boolean> {
    const limit = this.#options.batchSize ?? 500;
    const page = await this.#options.events.readAll({ after: from, limit });
    const gap = page.findIndex((event, index) => event.position !== from + index + 1);
    if (gap !== -1) throw new Error(`the log skips position ${from + gap + 1}`);
    if (page.length > 0) await this.#project(group, page);
    if (page.length === limit) return true;
    return this.#swap(this.#lanes.filter((lane) => lane.state === 'rebuilding' && group.some(isSameAs(lane))));
  }

  async #project(group: readonly Lane[], page: readonly StoredEvent[]): Promise<void> {
    const end = page.at(-1)?.position ?? 0;
    const readable = readPage(page);
    const plans = group.flatMap((lane) => {
      const projection = this.#byName.get(lane.projection);
      return projection === undefined ? [] : [{ lane, projection, plan: planOf(projection, readable) }];
    });
    const stored = await this.#options.store.load(plans.map(({ lane, plan }) => ({ lane, keys: keysOf(plan) })));
    const folded = plans.map(({ lane, projection, plan }) => ({ lane, ...foldPlan(projection, plan, stored.get(lane.projection)) }));
    await this.#commit(folded.map(({ lane, rows, poison }) => ({ lane, rows, position: poison === null ? end : poison.position - 1 })));
    for (const { lane, poison } of folded) if (poison !== null) await this.#park(lane, poison.error, `at position ${poison.position}`);
    this.#tell();
  }

  /** Together, in one transaction; what the store refuses is tried one by one, so that only the guilty lane is parked. */
  async #commit(writes: readonly LaneWrites[]): Promise<void> {
    const outcome = await this.#options.store.commit(writes, leaseMs);
    switch (outcome.status) {
      case 'committed': {
        const moved = new Map(writes.map(({ lane, position }) => [lane, { ...lane, position }]));
        this.#lanes = this.#lanes.map((lane) => moved.get(lane) ?? lane);
        return;
      }
      case 'fenced':
        return this.#claimAgain();
      case 'refused': {
        const [only, ...others] = writes;
        if (only !== undefined && others.length === 0) return this.#park(only.lane, outcome.error, `up to position ${only.position}`);
        for (const one of writes) await this.#commit([one]);
      }
    }
  }

  /** A pure fold fails the same way each time, so it is not tried again: a rebuild is how it goes on. */
  async #park(lane: Lane, error: unknown, where: string): Promise<void> {
    const isParked = await this.#options.store.park(lane, `${error instanceof Error ? error.name : 'error'} ${where}`);
    // Another node has the lane, and its rows may be ahead of what was read here: no wonder that they did not fit.
    if (!isParked) return this.#claimAgain();
    this.#options.onDefect(error);
    this.#lanes = this.#lanes.filter((other) => !isSameAs(lane)(other));
  }

  /** At the head: the new generations take over. True: there is more to do. */
  async #swap(lanes: readonly Lane[]): Promise<boolean> {
    for (const lane of lanes) if (await this.#options.store.swap(lane)) this.#sweeping = true;
    if (lanes.length > 0) this.#claimAgain();
    return lanes.length > 0;
  }
}

function isSameAs(lane: Lane): (other: Lane) => boolean {
  return (other) => other.projection === lane.projection && other.generation === lane.generation;
}
