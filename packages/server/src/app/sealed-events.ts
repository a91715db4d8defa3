import type { EventsSeal } from '@virtual-tutor/schemas';
import { leafHash, merkleRoot } from './merkle.ts';
import type { EventStore, StoredEvent } from './ports.ts';

const pageSize = 500;

/** The chain hashes of the events under a seal, in order; null: the log has others there by now. */
export async function hashesUnder(events: Pick<EventStore, 'readAll'>, seal: EventsSeal): Promise<readonly Buffer[] | null> {
  const found = await eventsUnder(events, seal);
  return isUnder(seal, leavesOf(seal, found)) ? found.map(({ hash }) => Buffer.from(hash, 'hex')) : null;
}

/** Positions are ordinals: both are dense from 1. */
export async function eventsUnder(
  events: Pick<EventStore, 'readAll'>,
  { first, last }: Pick<EventsSeal, 'first' | 'last'>,
): Promise<readonly StoredEvent[]> {
  const found: StoredEvent[] = [];
  for (let after = first - 1; after < last; ) {
    const page = await events.readAll({ after, limit: Math.min(pageSize, last - after) });
    const newest = page.at(-1);
    if (newest === undefined) break;
    found.push(...page);
    after = newest.position;
  }
  return found;
}

export function leavesOf({ first }: EventsSeal, found: readonly Pick<StoredEvent, 'hash'>[]): readonly Buffer[] {
  return found.map(({ hash }, index) => leafHash(first + index, Buffer.from(hash, 'hex')));
}

export function isUnder({ merkleRoot: sealed }: EventsSeal, leaves: readonly Buffer[]): boolean {
  return leaves.length > 0 && merkleRoot(leaves).toString('hex') === sealed;
}
