import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifyChain } from '../../packages/server/src/app/chain.ts';
import type { StoredEvent } from '../../packages/server/src/app/ports.ts';
import { MemoryEventStore } from '../../packages/server/src/store/memory-event-store.ts';
import { anyEvents, type Drafts } from '../support/arbitraries.ts';
import { command, draft, readAll, stream } from '../support/drafts.ts';
import { often } from '../support/long.ts';

describe('the chain', () => {
  const history = fc.array(anyEvents, { minLength: 2, maxLength: 6 });

  async function chainOf(batches: readonly Drafts[]): Promise<readonly StoredEvent[]> {
    const store = new MemoryEventStore();
    for (const batch of batches) {
      await store.append(
        command(
          'chain',
          'any',
          batch.map(({ payload, sealed }) => draft(payload, { sealed })),
        ),
      );
    }
    return readAll(store);
  }

  const flipHex = (hex: string) => (hex.startsWith('0') ? `1${hex.slice(1)}` : `0${hex.slice(1)}`);
  const changes: readonly ((event: StoredEvent) => StoredEvent)[] = [
    (event) => ({ ...event, payload: { ...event.payload, added: true } }),
    (event) => ({ ...event, type: `${event.type}!` }),
    (event) => ({ ...event, schemaVersion: event.schemaVersion + 1 }),
    (event) => ({ ...event, meta: { ...event.meta, occurredAt: '2027-01-01T00:00:00.000Z' } }),
    (event) => ({ ...event, sealed: Uint8Array.of(...(event.sealed ?? []), 1) }),
    (event) => ({ ...event, id: draft().id }),
    (event) => ({ ...event, revision: event.revision + 1 }),
    (event) => ({ ...event, contentHash: flipHex(event.contentHash) }),
    (event) => ({ ...event, hash: flipHex(event.hash) }),
  ];

  test('holds as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (batches) => {
        const chain = await chainOf(batches);
        expect(await verifyChain(stream('chain'), chain)).toMatchObject({ verdict: 'intact', events: chain.length });
      }),
      { numRuns: often({ few: 30, long: 2_000 }) },
    );
  });

  /** Does it to the event at `index`, which is not the last; returns the first revision that is wrong then. */
  const deeds: Readonly<Record<string, (chain: StoredEvent[], index: number, how: number) => number>> = {
    change(chain, index, how) {
      const [victim] = chain.slice(index);
      chain[index] = changes[how % changes.length]?.(victim ?? expect.fail()) ?? expect.fail();
      return index + 1;
    },
    drop(chain, index) {
      chain.splice(index, 1);
      return index + 1;
    },
    move(chain, index) {
      chain.splice(index, 2, ...chain.slice(index, index + 2).toReversed());
      return index + 1;
    },
    insert(chain, index) {
      chain.splice(index, 0, ...chain.slice(index, index + 1));
      return index + 2;
    },
  };

  test.each(Object.entries(deeds))('names the first place after a %s (invariant 36)', async (_, deed) => {
    await fc.assert(
      fc.asyncProperty(history, fc.record({ at: fc.nat(), how: fc.nat() }), async (batches, { at, how }) => {
        const chain = [...(await chainOf(batches))];
        const revision = deed(chain, at % (chain.length - 1), how);
        expect(await verifyChain(stream('chain'), chain)).toMatchObject({ verdict: 'broken', revision });
      }),
      { numRuns: often({ few: 60, long: 2_000 }) },
    );
  });

  test('cut off at its end still holds, and ends on another head: that takes a head kept elsewhere (invariant 36)', async () => {
    const chain = await chainOf([[{ payload: {}, sealed: null }], [{ payload: {}, sealed: null }]]);
    const [whole, cut] = [await verifyChain(stream('chain'), chain), await verifyChain(stream('chain'), chain.slice(0, 1))];
    expect(cut).toMatchObject({ verdict: 'intact', events: 1 });
    expect(cut).not.toMatchObject({ headHash: 'headHash' in whole ? whole.headHash : '' });
  });
});
