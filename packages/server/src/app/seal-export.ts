import type { Seal } from '@virtual-tutor/schemas';
import type { EventStore } from './ports.ts';
import { SealConflict, type SealOutlet, type SealStore } from './seal-ports.ts';
import { hashesUnder } from './sealed-events.ts';

export interface SealExportOptions {
  readonly events: EventStore;
  readonly seals: SealStore;
  readonly outlets: readonly SealOutlet[];
  readonly onDefect: (error: unknown) => void;
  readonly signal: AbortSignal;
}

const pageSize = 200;
const retryMs = { first: 1_000, longest: 60_000 };

interface Lane {
  readonly outlet: SealOutlet;
  /** Number of the newest seal that it has. */
  reached: number;
  failure: { readonly reason: string; readonly retryMs: number; readonly againAtMs: number } | null;
}

/**
 * Hands seals over, each outlet at its own pace and in order, from the root statement on at each start: an outlet says by itself
 * what it has, so one that was emptied is filled again.
 */
export class SealExport {
  readonly #options: SealExportOptions;
  readonly #lanes: readonly Lane[];

  constructor(options: SealExportOptions) {
    this.#options = options;
    this.#lanes = options.outlets.map((outlet) => ({ outlet, reached: -1, failure: null }));
  }

  /** What stands in the way of an outlet, as a sentence; null: nothing. */
  get trouble(): string | null {
    return this.#lanes.find(({ failure }) => failure !== null)?.failure?.reason ?? null;
  }

  /** When to try again, ms from now; infinite where nothing failed. */
  nextMs(): number {
    return Math.min(
      ...this.#lanes.map(({ failure }) => (failure === null ? Infinity : Math.max(0, failure.againAtMs - performance.now()))),
    );
  }

  /** Everything up to seal `newest`. Never throws: what fails stays in the store and is tried again. */
  async pass(newest: number): Promise<void> {
    for (const lane of this.#lanes) {
      if (lane.failure !== null && performance.now() < lane.failure.againAtMs) continue;
      try {
        await this.#fill(lane, newest);
        lane.failure = null;
      } catch (error) {
        this.#failed(lane, error, newest);
      }
    }
  }

  async #fill(lane: Lane, newest: number): Promise<void> {
    const { seals, signal } = this.#options;
    while (lane.reached < newest && !signal.aborted) {
      const page = await seals.read({ after: lane.reached, limit: pageSize });
      for (const seal of page) {
        if (signal.aborted) return;
        await lane.outlet.take(seal, { hashes: () => this.#hashesUnder(seal), signal });
        lane.reached = seal.sealNo;
      }
      if (page.length === 0) return;
    }
  }

  async #hashesUnder(seal: Seal): Promise<Buffer | null> {
    const hashes = seal.kind === 'events' ? await hashesUnder(this.#options.events, seal) : null;
    return hashes === null ? null : Buffer.concat(hashes);
  }

  #failed(lane: Lane, error: unknown, newest: number): void {
    if (this.#options.signal.aborted) return;
    const { outlet, reached, failure } = lane;
    const waiting = newest - reached;
    const reason =
      error instanceof SealConflict
        ? `${error.message}, to ${outlet.name}: run \`vtutor audit verify\``
        : `${waiting} ${waiting === 1 ? 'seal waits' : 'seals wait'} to be handed over to ${outlet.name}: check that it can be written to`;
    if (failure === null) this.#options.onDefect(error);
    const waitMs = Math.min(2 * (failure?.retryMs ?? retryMs.first / 2), retryMs.longest);
    lane.failure = { reason, retryMs: waitMs, againAtMs: performance.now() + waitMs };
  }
}
