/* Seals of the log, as the public types have them. What they are made of: `schemas/seal.ts` of the engine. */

interface Sealed {
  readonly version: 1;
  readonly logId: string;
  readonly sealedAt: string;
  /** Hex SHA-256 of the key that signed it. */
  readonly keyId: string;
  /** Ed25519 over the canonical JSON (RFC 8785) without this; hex. */
  readonly signature: string;
}

/** The log's first: its seal hash is the fingerprint that an auditor notes once. */
export interface RootStatement extends Sealed {
  readonly kind: 'root';
  readonly sealNo: 0;
  readonly previous: null;
  readonly publicKey: string;
}

/** Events `first` to `last` of the log, counted from 1 over all streams, are under `merkleRoot`. */
export interface EventsSeal extends Sealed {
  readonly kind: 'events';
  readonly sealNo: number;
  readonly previous: string;
  readonly first: number;
  readonly last: number;
  readonly merkleRoot: string;
}

/** From the next seal on this key signs. */
export interface KeySeal extends Sealed {
  readonly kind: 'key';
  readonly sealNo: number;
  readonly previous: string;
  readonly publicKey: string;
}

export type Seal = RootStatement | EventsSeal | KeySeal;

/** Which seals a session's events are under. */
export interface SealCoverage {
  readonly seals: readonly {
    readonly sealNo: number;
    readonly hash: string;
    readonly sealedAt: string;
    readonly keyId: string;
    readonly first: number;
    readonly last: number;
    readonly fromRevision: number;
    readonly toRevision: number;
  }[];
  /** Null: all are sealed. */
  readonly unsealedFrom: number | null;
}

export type LogFaultCode =
  | 'seal_forged'
  | 'seal_missing'
  | 'key_replaced'
  | 'two_histories'
  | 'events_rewritten'
  | 'log_truncated'
  | 'position_wrong'
  | 'content_changed'
  | 'chain_broken';

/** The first place where something does not hold, as far as it can be told; null: not known, or nothing there. */
export interface LogFault {
  readonly code: LogFaultCode;
  readonly reason: string;
  readonly ordinal: number | null;
  readonly lastOrdinal: number | null;
  readonly position: number | null;
  readonly stream: string | null;
  readonly revision: number | null;
  readonly sealNo: number | null;
}

export type LogVerdict =
  | {
      readonly verdict: 'intact';
      readonly events: number;
      readonly sealed: number;
      readonly newestSeal: { readonly sealNo: number; readonly hash: string } | null;
      readonly fingerprint: string | null;
    }
  | { readonly verdict: 'broken'; readonly events: number; readonly faults: readonly LogFault[] };
