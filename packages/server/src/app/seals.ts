import type { EventsSeal, InclusionProof, LogVerdict, Seal, SealCoverage, StreamName } from '@virtual-tutor/schemas';
import { inclusionPath } from './merkle.ts';
import type { EventStore, StoredEvent } from './ports.ts';
import { sealHash } from './seal.ts';
import { type SealStore, SealUnreadable } from './seal-ports.ts';
import { eventsUnder, isUnder, leavesOf } from './sealed-events.ts';
import type { RotatedKey, Sealing } from './sealing.ts';
import { type VerifyLogOptions, type VerifyProgress, verifyLog } from './verify-log.ts';

type CoveringSeal = SealCoverage['seals'][number];

const pageSize = 500;

export interface SealsOptions extends Pick<VerifyLogOptions, 'exported' | 'scan'> {
  readonly events: EventStore;
  readonly store: SealStore;
  /** Null: this process makes none. */
  readonly sealing: Pick<Sealing, 'rotateKey' | 'health'> | null;
}

/** Reading seals and what is under them. What it tells is as the database has it: a verification follows the chain. */
export class Seals {
  readonly #options: SealsOptions;

  constructor(options: SealsOptions) {
    this.#options = options;
  }

  /** In order, numbers after `after`; -1: from the root statement. Empty where the next one cannot be read: a verification says why. */
  async page(range: { readonly after: number; readonly limit: number }): Promise<readonly Seal[]> {
    try {
      return await this.#options.store.read(range);
    } catch (error) {
      if (error instanceof SealUnreadable) return [];
      throw error;
    }
  }

  /** Progress, and at the end the verdict on the whole log. `noted`: seal hashes that somebody kept elsewhere. */
  verify(noted: readonly string[]): AsyncGenerator<VerifyProgress | LogVerdict, void, undefined> {
    const { store, exported, scan } = this.#options;
    return verifyLog({ seals: store, exported, scan }, noted);
  }

  async rotateKey(): Promise<RotatedKey> {
    return this.#options.sealing?.rotateKey() ?? { refused: 'this process makes no seals: rotate the key in the engine that does' };
  }

  /** Which seals the events of a stream are under. */
  async coverage(stream: StreamName): Promise<SealCoverage> {
    const seals: CoveringSeal[] = [];
    let sealedTo = 0;
    for await (const { revision, position } of this.#eventsOf(stream)) {
      if (position > sealedTo) {
        const seal = await this.#options.store.covering(position);
        if (seal === null) return { seals, unsealedFrom: revision };
        sealedTo = seal.last;
        seals.push(coveredBy(seal, revision));
      }
      const newest = seals.at(-1);
      if (newest !== undefined) newest.toRevision = revision;
    }
    return { seals, unsealedFrom: null };
  }

  async *#eventsOf(stream: StreamName): AsyncGenerator<StoredEvent, void, undefined> {
    for (let after = 0; ; ) {
      const page = await this.#options.events.readStream(stream, { after, limit: pageSize });
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < pageSize) return;
      after = last.revision;
    }
  }

  /** Proofs of the events at these positions; those that are not sealed yet have none. Throws where a seal and the log disagree. */
  async prove(
    positions: readonly number[],
  ): Promise<{ readonly proofs: readonly InclusionProof[]; readonly seals: readonly EventsSeal[] }> {
    const proofs: InclusionProof[] = [];
    const seals: EventsSeal[] = [];
    const waiting = [...positions].sort((a, b) => a - b);
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const seal = await this.#options.store.covering(next);
      if (seal === null) break;
      const mine = waiting.splice(0, waiting.filter((position) => position <= seal.last).length);
      proofs.push(...(await this.#proofsUnder(seal, mine)));
      seals.push(seal);
    }
    return { proofs, seals };
  }

  async #proofsUnder(seal: EventsSeal, positions: readonly number[]): Promise<readonly InclusionProof[]> {
    const leaves = leavesOf(seal, await eventsUnder(this.#options.events, seal));
    if (!isUnder(seal, leaves))
      throw new Error(`the events under seal ${seal.sealNo} are not those that were sealed: run \`vtutor audit verify\``);
    return positions.map((ordinal) => ({
      ...{ sealNo: seal.sealNo, ordinal },
      path: inclusionPath(leaves, ordinal - seal.first).map((sibling) => sibling.toString('hex')),
    }));
  }
}

function coveredBy(seal: EventsSeal, revision: number): CoveringSeal {
  const { sealNo, sealedAt, first, last, keyId } = seal;
  return { sealNo, sealedAt, first, last, keyId, hash: sealHash(seal), fromRevision: revision, toRevision: revision };
}
