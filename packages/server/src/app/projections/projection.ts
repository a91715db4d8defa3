import type { StreamCategory } from '@virtual-tutor/schemas';
import type { ClearEvent } from '../event-codec.ts';

/** Where a row stands in lists. */
export interface Placing {
  readonly tenantId: string;
  /** What the row belongs to, for lists within it: a session, a knowledge base, a student. */
  readonly parent: string;
  /** For lists of one status. */
  readonly status: string;
  /** Position of the event that made the row: lists are ordered by it. */
  readonly sort: number;
}

/**
 * A read model as a pure fold per key: the same events make the same rows, in any batches, on any
 * day. No personal data ever enters a row, so forgetting a student leaves nothing here to purge.
 */
export interface Projection<Row extends Placing = Placing> {
  readonly name: string;
  /** Raise it with every change of the fold, a new event type that matters included: the next start builds a new generation. */
  readonly version: number;
  /** Whose events it reads; what cannot be read of the others does not concern it. */
  readonly reads: StreamCategory;
  /** Null: this event is not its business. */
  keyOf(event: ClearEvent): string | null;
  /** Null: no row. The same object: nothing changed, and nothing is written. */
  evolve(row: Row | null, event: ClearEvent): Row | null;
  /** Parses a stored row. */
  parse(row: unknown): Row;
}
