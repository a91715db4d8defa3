/** An event as a pack has it; `personal` once its words are opened. */
export interface PackedEvent {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly meta: Readonly<Record<string, unknown>>;
  /** Ciphertext, base64; null: none, or withheld. */
  readonly sealed: string | null;
  /** Hex SHA-256 of the ciphertext; null: none. */
  readonly sealedHash: string | null;
  /** Opens this ciphertext, base64; null: withheld, or destroyed. */
  readonly key: string | null;
  readonly contentHash: string;
  readonly hash: string;
  /** Null: not sealed yet. */
  readonly proof: { readonly sealNo: number; readonly path: readonly string[] } | null;
}

export interface PackHead {
  readonly format: 'virtual-tutor-evidence';
  readonly version: 1;
  readonly sessionId: string;
  readonly exportedAt: string;
  readonly engine: string;
  readonly redacted: boolean;
  /** Seal hash of the root statement; null: nothing is sealed. */
  readonly fingerprint: string | null;
}

export interface PackedPassage {
  readonly passageId: string;
  readonly title: string;
  readonly text: string;
}

export interface Verified {
  readonly sessionId: string;
  readonly redacted: boolean;
  readonly events: number;
  readonly sealed: number;
  readonly fingerprint: string | null;
  /** HTML. */
  readonly report: string;
}

/** Throws where the pack does not hold, naming the place. */
export function verifyEvidence(text: string, fingerprint: string | null): Verified;

export function reportOf(parts: {
  readonly pack: PackHead;
  readonly events: readonly (PackedEvent & { readonly personal: unknown })[];
  readonly passages: readonly PackedPassage[];
}): string;
