import type { EventsSeal, Seal } from '@virtual-tutor/schemas';
import type { SealKey } from './seal.ts';

/** The seals of this log, beside it. Throws `StoreUnavailable`. What comes out of it proves nothing before its chain was followed. */
export interface SealStore {
  /**
   * Numbers after `after`, in order; -1: from the root statement. Empty: there are no more. Throws `SealUnreadable` where the next one
   * is none.
   */
  read(range: { readonly after: number; readonly limit: number }): Promise<readonly Seal[]>;
  /** `last`: events up to here are sealed then. False: there is one of this number. */
  add(seal: Seal, last: number): Promise<boolean>;
  /** The seal over the event at this position; null: it is not sealed. */
  covering(position: number): Promise<EventsSeal | null>;
}

/** Something stands where a seal should be. */
export class SealUnreadable extends Error {
  override readonly name = 'SealUnreadable';
  readonly sealNo: number;
  constructor(sealNo: number) {
    super(`seal ${sealNo} cannot be read: it was altered`);
    this.sealNo = sealNo;
  }
}

export interface Handing {
  /** Chain hashes of the events under the seal, 32 bytes each; null for a seal of no events, and where the log has others by now. */
  readonly hashes: () => Promise<Buffer | null>;
  /** The engine stops. */
  readonly signal: AbortSignal;
}

/** Where seals go, out of the reach of whoever can write to the database. Throws when it cannot take one now. */
export interface SealOutlet {
  /** For people, without a secret. */
  readonly name: string;
  /** Idempotent. */
  take(seal: Seal, handing: Handing): Promise<void>;
  /** Whether a seal of this number has left. */
  has(sealNo: number): Promise<boolean>;
}

/** Another seal of this number has left before. */
export class SealConflict extends Error {
  override readonly name = 'SealConflict';
  constructor(sealNo: number) {
    super(`another seal ${sealNo} has left this engine before`);
  }
}

/** Seals that were exported, read back for a verification. */
export interface ExportedSeals {
  /** In order, from the root statement, as many as there are; `SealUnreadable` at what is none. */
  read(): AsyncIterable<Seal>;
  /** As `SealOutlet.take` got them; null: not exported. */
  hashes(sealNo: number): Promise<Buffer | null>;
}

/** The keys that this node signs with. */
export interface SealKeys {
  /** Of a log that has none yet; made if need be. */
  first(): Promise<SealKey>;
  /** For a rotation; made if need be, and kept before it is named to anybody. */
  next(): Promise<SealKey>;
  /** The key in force, when this node has it; a `next` that came into force takes the place of the one before, which is destroyed. */
  own(publicKey: string): Promise<SealKey | null>;
}
