import type { DependencyHealth, Seal } from '@virtual-tutor/schemas';
import { leafHash, MerkleTree } from './merkle.ts';
import { type Clock, type EventStore, type Ids, StoreUnavailable } from './ports.ts';
import { followSeal, keyIdOf, rootStatement, type SealChain, type SealKey, sealEvents, sealKey } from './seal.ts';
import { SealExport } from './seal-export.ts';
import { type SealKeys, type SealOutlet, type SealStore, SealUnreadable } from './seal-ports.ts';

export interface SealingOptions {
  readonly events: EventStore;
  readonly seals: SealStore;
  readonly keys: SealKeys;
  readonly outlets: readonly SealOutlet[];
  readonly clock: Clock;
  readonly ids: Ids;
  /** A seal holds this many events at most. */
  readonly everyEvents: number;
  /** No event waits longer for its seal, ms. */
  readonly everyMs: number;
  readonly onDefect: (error: unknown) => void;
}

/** What stands in the way of sealing, as a sentence for the operator. */
class CannotSeal extends Error {
  override readonly name = 'CannotSeal';
}

const pageSize = 500;
/** Appends of so long share one look at the log, ms. */
const gatherMs = 250;
const retryMs = { first: 1_000, longest: 60_000 };
/** An event that waits this many times as long as it may is told of. */
const patience = 3;

interface Range {
  readonly tree: MerkleTree;
  /** When its first event was seen; `performance.now()`. */
  readonly sinceMs: number;
}

/** Refused: why, as a sentence. */
export type RotatedKey = { readonly sealNo: number; readonly keyId: string } | { readonly refused: string };
type Rotation = PromiseWithResolvers<RotatedKey>;

/**
 * Seals what is in the log, range after range, and hands the seals over. All that it knows it reads again from the seals, each time:
 * the number is the key of their table, so of two that seal at once one is second and begins again from what it finds. There is no
 * lease: only the node whose key is in force can sign.
 */
export class Sealing {
  readonly #options: SealingOptions;
  readonly #export: SealExport;
  #chain: SealChain | null = null;
  #range: Range | null = null;
  #isOurs = true;
  #hasLooked = false;
  #trouble: { readonly reason: string; readonly retryMs: number } | null = null;
  #rotation: Rotation | null = null;
  /** An append ends the pause. */
  #awaitsNews = false;
  readonly #closing = new AbortController();
  #wake: () => void = () => {};
  #running: Promise<void> = Promise.resolve();

  private constructor(options: SealingOptions) {
    this.#options = options;
    this.#export = new SealExport({ ...options, signal: this.#closing.signal });
  }

  /** Nobody waits for seals: it begins on its own. */
  static start(options: SealingOptions): Sealing {
    const sealing = new Sealing(options);
    sealing.#running = sealing.#run();
    return sealing;
  }

  /** Another key signs from here on; everything before is sealed with the old one. */
  rotateKey(): Promise<RotatedKey> {
    if (this.#closing.signal.aborted) return Promise.resolve({ refused: 'the engine is shutting down' });
    this.#rotation ??= Promise.withResolvers();
    this.#wake();
    return this.#rotation.promise;
  }

  health(): DependencyHealth {
    const { outlets } = this.#options;
    const newest = this.#chain === null ? 'no seal yet' : `seal ${this.#chain.sealNo}`;
    const base = { name: 'seals', runsOn: `${outlets.map(({ name }) => name).join(' and ')} (${newest})` };
    const reason = this.#trouble?.reason ?? this.#export.trouble ?? this.#overdue();
    return { ...base, status: reason === null ? 'ok' : 'degraded', reason };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#running;
    this.#refuseRotation('the engine is shutting down');
  }

  #overdue(): string | null {
    const { everyMs } = this.#options;
    if (this.#range === null || performance.now() - this.#range.sinceMs < patience * everyMs) return null;
    return this.#isOurs
      ? `the newest events wait for their seal for more than ${Math.floor((patience * everyMs) / 60_000)} minutes`
      : 'the node whose key is in force does not seal: start it, or bring its DATA_DIR/seal.key here; if there is no such node, run `vtutor audit verify`';
  }

  async #run(): Promise<void> {
    let hasNews = true;
    const unsubscribe = this.#options.events.onAppended(() => {
      hasNews = true;
      if (this.#awaitsNews) this.#wake();
    });
    while (!this.#closing.signal.aborted) {
      let more = false;
      try {
        hasNews = false;
        more = await this.#step();
        this.#trouble = null;
      } catch (error) {
        this.#failed(error);
      }
      await this.#export.pass(this.#chain?.sealNo ?? -1);
      if (more) continue;
      this.#awaitsNews = this.#trouble === null;
      if (!hasNews || this.#trouble !== null) await this.#pause(this.#nextMs());
      this.#awaitsNews = false;
      if (this.#trouble === null) await this.#pause(gatherMs);
    }
    unsubscribe();
  }

  #failed(error: unknown): void {
    const isKnown = error instanceof CannotSeal || error instanceof StoreUnavailable;
    const reason = isKnown ? error.message : 'sealing failed: see the log of the engine';
    // Once: it is tried again and again.
    if (this.#trouble?.reason !== reason && !(error instanceof StoreUnavailable)) this.#options.onDefect(error);
    const lastMs = this.#trouble?.retryMs ?? retryMs.first / 2;
    this.#trouble = { reason, retryMs: Math.min(2 * lastMs, retryMs.longest) };
    this.#refuseRotation(reason);
  }

  #refuseRotation(refused: string): void {
    this.#rotation?.resolve({ refused });
    this.#rotation = null;
  }

  #nextMs(): number {
    const dueMs = this.#range === null || !this.#isOurs ? retryMs.longest : this.#range.sinceMs + this.#options.everyMs - performance.now();
    return Math.min(this.#trouble?.retryMs ?? dueMs, this.#export.nextMs());
  }

  async #pause(ms: number): Promise<void> {
    if (this.#closing.signal.aborted || this.#rotation !== null) return;
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, Math.max(0, ms));
    this.#wake = over.resolve;
    await over.promise;
    clearTimeout(timer);
  }

  /** True: there is more to do. */
  async #step(): Promise<boolean> {
    const chain = await this.#follow();
    if (chain === null) return this.#begin();
    const key = await this.#options.keys.own(chain.publicKey);
    this.#isOurs = key !== null;
    const whole = await this.#gather(chain);
    if (key === null) {
      this.#refuseRotation('another key than this node has is in force: rotate it on the node that has it');
      return false;
    }
    const due = this.#range !== null && performance.now() >= this.#range.sinceMs + this.#options.everyMs;
    if (this.#range !== null && (whole || due || this.#rotation !== null)) {
      await this.#sealRange(chain, key, this.#range);
      return true;
    }
    if (this.#rotation !== null) await this.#rotate(chain, key, this.#rotation);
    return this.#rotation !== null;
  }

  /** The chain as it stands in the store now; null: there is none. */
  async #follow(): Promise<SealChain | null> {
    for (;;) {
      const page = await this.#readSeals(this.#chain?.sealNo ?? -1);
      for (const seal of page) {
        const followed = followSeal(this.#chain, seal);
        if ('fault' in followed) throw new CannotSeal(`${followed.fault.reason}: run \`vtutor audit verify\``);
        this.#chain = followed.chain;
        this.#range = null;
      }
      if (page.length === 0) return this.#chain;
    }
  }

  async #readSeals(after: number) {
    try {
      return await this.#options.seals.read({ after, limit: pageSize });
    } catch (error) {
      if (error instanceof SealUnreadable) throw new CannotSeal(`${error.message}: run \`vtutor audit verify\``);
      throw error;
    }
  }

  async #begin(): Promise<boolean> {
    const { keys, ids } = this.#options;
    await this.#add(rootStatement(ids.next(), this.#moment(await keys.first())), 0);
    return true;
  }

  /** True: as many events as one seal may hold. Positions are ordinals: both are dense from 1. */
  async #gather(chain: SealChain): Promise<boolean> {
    const { events, everyEvents } = this.#options;
    for (;;) {
      const size = this.#range?.tree.size ?? 0;
      if (size >= everyEvents) return true;
      const limit = Math.min(pageSize, everyEvents - size);
      const page = await events.readAll({ after: chain.last + size, limit });
      for (const { hash, position } of page) {
        this.#range ??= { tree: new MerkleTree(), sinceMs: performance.now() };
        this.#range.tree.add(leafHash(position, Buffer.from(hash, 'hex')));
        if (position !== chain.last + this.#range.tree.size)
          throw new CannotSeal(`the log skips from position ${position - 1} to ${position}: run \`vtutor audit verify\``);
      }
      if (page.length < limit || this.#closing.signal.aborted) return false;
    }
  }

  async #sealRange(chain: SealChain, key: SealKey, { tree }: Range): Promise<void> {
    const events = { last: chain.last + tree.size, merkleRoot: tree.root() };
    await this.#add(sealEvents(chain, events, this.#moment(key)), events.last);
  }

  async #rotate(chain: SealChain, key: SealKey, rotation: Rotation): Promise<void> {
    const next = await this.#options.keys.next();
    const seal = sealKey(chain, next.publicKey, this.#moment(key));
    const added = await this.#add(seal, chain.last);
    // Somebody else's seal was first: once more, after that one.
    if (!added) return;
    await this.#options.keys.own(next.publicKey);
    await this.#follow();
    this.#rotation = null;
    rotation.resolve({ sealNo: seal.sealNo, keyId: keyIdOf(next.publicKey) });
  }

  #moment(key: SealKey) {
    return { key, sealedAt: new Date(this.#options.clock.now()).toISOString() };
  }

  async #add(seal: Seal, last: number): Promise<boolean> {
    if (!this.#hasLooked && !(await this.#isNew(seal.sealNo))) return false;
    return this.#options.seals.add(seal, last);
  }

  /**
   * A number that has left once is never given to another seal, though the database may have forgotten it: before its first
   * signature this process has to see that there is none. Later it knows by itself, and an outlet that is away holds nothing up.
   * False: another node was first.
   */
  async #isNew(sealNo: number): Promise<boolean> {
    for (const outlet of this.#options.outlets) {
      const { name } = outlet;
      const hasLeft = await outlet.has(sealNo).catch((error: unknown) => {
        throw new CannotSeal(`whether seals have left to ${name} cannot be seen: check that it can be read`, { cause: error });
      });
      if (!hasLeft) continue;
      if ((await this.#readSeals(sealNo - 1)).length > 0) return false;
      throw new CannotSeal(
        `seal ${sealNo} has left this engine before, to ${name}, and the database does not have it: the log was set back. Run \`vtutor audit verify\`; if that is known and right, put those seals aside and keep them`,
      );
    }
    this.#hasLooked = true;
    return true;
  }
}
