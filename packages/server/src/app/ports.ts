import type { CommandId, EventId, EventMeta, StreamName } from '@virtual-tutor/schemas';

/** An event as the store keeps it: clear payload, sealed personal part. */
export interface StoredEventDraft {
  /** Derived from the command id and the event's index, so that a retry is the same event. */
  readonly id: EventId;
  readonly type: string;
  readonly schemaVersion: number;
  /** JSON value without personal data. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** AES-256-GCM ciphertext (nonce, ciphertext, tag) of the personal part; AAD binds stream, event id and type. */
  readonly sealed: Uint8Array | null;
  /** Data key that sealed it. */
  readonly keyId: string | null;
  readonly meta: EventMeta;
}

export interface StoredEvent extends StoredEventDraft {
  readonly stream: StreamName;
  /** Per stream, dense, from 1. */
  readonly revision: number;
  /** Global, dense, from 1, in commit order. */
  readonly position: number;
  /** Database clock; informational. */
  readonly recordedAt: string;
  /** Hex SHA-256; see `chain.ts`. */
  readonly contentHash: string;
  readonly hash: string;
}

/** A revision, `'none'` (the stream must not exist) or `'any'`. */
export type ExpectedRevision = number | 'none' | 'any';

export interface AppendRequest {
  readonly commandId: CommandId;
  readonly stream: StreamName;
  readonly expected: ExpectedRevision;
  /** 1 to 100. */
  readonly events: readonly StoredEventDraft[];
  /**
   * Hex SHA-256 of what the caller asked for. The same command id with another fingerprint is
   * refused as `command_reused`; with the same one it is answered from the first time.
   */
  readonly fingerprint: string;
}

export type AppendResult =
  | {
      readonly status: 'appended' | 'duplicate';
      readonly firstRevision: number;
      readonly lastRevision: number;
      readonly lastPosition: number;
    }
  | { readonly status: 'conflict'; readonly actualRevision: number }
  | { readonly status: 'command_reused' };

/**
 * The append-only log. Two adapters (Postgres or PGlite; KurrentDB later) and an in-memory
 * reference pass one contract suite. Every method throws `StoreUnavailable` when the log cannot be
 * reached or a lock times out; after that an append's outcome is unknown and the caller retries
 * with the same command id.
 */
export interface EventStore {
  append(request: AppendRequest): Promise<AppendResult>;
  /** Events with `revision > after`, oldest first. `limit` 1 to 1000. */
  readStream(stream: StreamName, range: { readonly after: number; readonly limit: number }): Promise<readonly StoredEvent[]>;
  /** Events with `position > after`, oldest first. `limit` 1 to 1000. */
  readAll(range: { readonly after: number; readonly limit: number }): Promise<readonly StoredEvent[]>;
  /** Position of the newest event; 0 when empty. */
  head(): Promise<number>;
  /** Streams whose name starts with `prefix`, by name, after `after`. For recovery and audits. */
  listStreams(range: {
    readonly prefix: string;
    readonly after: string;
    readonly limit: number;
  }): Promise<readonly { readonly stream: StreamName; readonly revision: number }[]>;
  /** Called after commits, at least once per poll interval while there is news; only wakes, never carries data. Returns the unsubscribe. */
  onAppended(wake: () => void): () => void;
  close(): Promise<void>;
}

/** The log or the read model cannot be reached. The outcome of what was under way is unknown. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Seals personal fields under data keys: one for each lesson of a student, one for the person who is seen in an avatar.
 * Destroying them is how words expire and how somebody is forgotten.
 */
export interface KeyVault {
  /** Creates the subject's key on first use. Throws `SubjectForgotten` once it was destroyed, or the student was forgotten. */
  seal(subject: Subject, plaintext: Uint8Array, aad: Uint8Array): Promise<{ readonly keyId: string; readonly sealed: Uint8Array }>;
  /** Null when the key was destroyed; throws when the ciphertext does not belong to `aad`. */
  open(keyId: string, sealed: Uint8Array, aad: Uint8Array): Promise<Uint8Array | null>;
  /**
   * The 32 bytes that open this ciphertext and no other, for an auditor to check; `store/event-key.ts` says how. Null when the
   * key was destroyed, and for events sealed before each had a key of its own.
   */
  disclose(keyId: string, sealed: Uint8Array, aad: Uint8Array): Promise<Uint8Array | null>;
  /** Whose key it is or was; null: of nobody. */
  subjectOf(keyId: string): Promise<Subject | null>;
  /** Destroys this one key, or sees to it that it is never made. Irreversible; idempotent. */
  destroy(subject: Subject): Promise<void>;
  /**
   * Destroys all keys of a student, those included that nobody has made yet. Irreversible; idempotent. `work` comes back from
   * `unfinished` until `finish`, also after a crash.
   */
  forget(student: Student, work: string): Promise<void>;
  unfinished(): Promise<readonly { readonly student: Student; readonly work: string }[]>;
  finish(student: Student): Promise<void>;
  /**
   * Removes what is left of destroyed keys: in old pages of the database, and in its write-ahead log as far as this role
   * may. False: something is left, which goes with the database's own checkpoints; ask again.
   */
  clearTraces(): Promise<boolean>;
  /** Forgets a student's cached keys, so that a destruction by another node is seen. */
  evict(student: Student): void;
}

export interface Student {
  readonly tenantId: string;
  /** A student's id, or `avatar:<id>` for the person who is seen in one. */
  readonly subjectId: string;
}

/** Whose words or face it is. */
export interface Subject extends Student {
  /** The lesson's id. Absent: a key for all that is hers, as in logs from before lessons had keys of their own. */
  readonly part?: string;
}

export class SubjectForgotten extends Error {
  override readonly name = 'SubjectForgotten';
  constructor() {
    super('this student was forgotten: no new personal data can be stored under the same id');
  }
}

/** Documents and media, named by their content. */
export interface BlobStore {
  /** Returns the hex SHA-256 that names it; idempotent; durable when resolved. */
  put(bytes: Uint8Array): Promise<string>;
  /** Null when there is no such blob. Verifies the hash. */
  get(sha256: string): Promise<Uint8Array | null>;
}

export interface Clock {
  /** Epoch ms. */
  now(): number;
}

export interface Ids {
  /** UUIDv7 of now. */
  next(): string;
}

/** What many nodes could do, and one does at a time. It is for thrift: whoever holds one may have lost it meanwhile. */
export interface Leases {
  /** Takes it or keeps it for this long, by the database's clock. False: another one has it. */
  hold(name: string, held: { readonly owner: string; readonly ms: number }): Promise<boolean>;
}
