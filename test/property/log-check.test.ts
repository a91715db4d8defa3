import { Seal } from '@virtual-tutor/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writtenForm } from '../../packages/server/src/app/chain.ts';
import { LogCheck, type SealedRange, type WrittenEvent } from '../../packages/server/src/app/log-check.ts';
import { leafHash, merkleRoot } from '../../packages/server/src/app/merkle.ts';
import type { StoredEvent } from '../../packages/server/src/app/ports.ts';
import { canonicalSeal, followSeals, rootStatement, sealEvents, sealKey, sealKeyOf } from '../../packages/server/src/app/seal.ts';
import { MemoryEventStore } from '../../packages/server/src/store/memory-event-store.ts';
import { anyEvents, type Drafts } from '../support/arbitraries.ts';
import { command, draft, readAll } from '../support/drafts.ts';

const perSeal = 4;
const history = fc.array(fc.tuple(fc.nat({ max: 2 }), anyEvents), { minLength: 2, maxLength: 8 });

function written(event: StoredEvent): WrittenEvent {
  const { payload, meta } = writtenForm(event);
  const { id, contentHash, hash, position, stream, revision, type, schemaVersion, sealed } = event;
  return {
    ...{ position, stream, revision, type, schemaVersion, sealed, id: Buffer.from(id.replaceAll('-', ''), 'hex') },
    ...{ payload: Buffer.from(payload), meta: Buffer.from(meta) },
    ...{ contentHash: Buffer.from(contentHash, 'hex'), hash: Buffer.from(hash, 'hex') },
  };
}

async function logOf(batches: readonly (readonly [number, Drafts])[]): Promise<readonly WrittenEvent[]> {
  const store = new MemoryEventStore();
  for (const [stream, batch] of batches) {
    const drafts = batch.map(({ payload, sealed }) => draft(payload, { sealed }));
    await store.append(command(`checked-${stream}`, 'any', drafts));
  }
  return (await readAll(store)).map(written);
}

function rangesOver(log: readonly WrittenEvent[]): readonly SealedRange[] {
  return Array.from({ length: Math.floor(log.length / perSeal) }, (_, index) => {
    const first = index * perSeal + 1;
    const leaves = log.slice(first - 1, first - 1 + perSeal).map(({ hash }, at) => leafHash(first + at, hash));
    return { sealNo: index + 1, first, last: first + perSeal - 1, merkleRoot: merkleRoot(leaves).toString('hex') };
  });
}

function faultIn(log: readonly WrittenEvent[], ranges: readonly SealedRange[]) {
  const check = new LogCheck(ranges);
  for (const event of log) {
    const fault = check.take(event);
    if (fault !== null) return fault;
  }
  return check.end();
}

const flip = (bytes: Uint8Array, at: number) =>
  Buffer.from(bytes.map((byte, index) => (index === at % bytes.length ? byte ^ (1 << (at % 8)) : byte)));
const byteFields = ['payload', 'meta', 'id', 'contentHash', 'hash'] as const;
const changes: readonly ((event: WrittenEvent, how: number) => WrittenEvent)[] = [
  ...byteFields.map((field) => (event: WrittenEvent, how: number) => ({ ...event, [field]: flip(event[field], how) })),
  (event, how) => ({ ...event, sealed: event.sealed === null || event.sealed.length === 0 ? Buffer.of(1) : flip(event.sealed, how) }),
  (event) => ({ ...event, type: `${event.type}?` }),
  (event) => ({ ...event, stream: `${event.stream}?` }),
  (event, how) => ({ ...event, revision: event.revision + 1 + how }),
  (event, how) => ({ ...event, position: event.position - 1 - how }),
  (event) => ({ ...event, schemaVersion: event.schemaVersion + 1 }),
];

describe('a check of the whole log', () => {
  test('finds nothing in a log that is as it was', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (batches) => {
        const log = await logOf(batches);
        expect(faultIn(log, rangesOver(log))).toBeNull();
      }),
      { numRuns: 50 },
    );
  });

  test('finds any bit of any event that is another one, at that event (invariant 36)', async () => {
    const deed = fc.record({ at: fc.nat(), which: fc.nat(), how: fc.nat({ max: 5_000 }) });
    await fc.assert(
      fc.asyncProperty(history, deed, async (batches, { at, which, how }) => {
        const log = await logOf(batches);
        const ordinal = (at % log.length) + 1;
        const change = changes[which % changes.length] ?? expect.fail();
        const tampered = log.map((event, index) => (index === ordinal - 1 ? change(event, how) : event));
        expect(faultIn(tampered, rangesOver(log))).toMatchObject({ ordinal, lastOrdinal: ordinal });
      }),
      { numRuns: 300 },
    );
  });

  test('finds a log that is shorter than its seals, and the first event that is missing', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), async (batches, cut) => {
        const log = await logOf(batches);
        const sealed = Math.floor(log.length / perSeal) * perSeal;
        fc.pre(sealed > 0);
        const left = cut % sealed;
        expect(faultIn(log.slice(0, left), rangesOver(log))).toMatchObject({
          code: 'log_truncated',
          ordinal: left + 1,
          lastOrdinal: sealed,
        });
      }),
      { numRuns: 50 },
    );
  });
});

describe('a chain of seals', () => {
  test('does not hold with any character of any seal changed', () => {
    const [key, next] = [sealKeyOf(Buffer.alloc(32, 1)), sealKeyOf(Buffer.alloc(32, 2))];
    const moment = { key, sealedAt: '2026-01-01T00:00:00.000Z' };
    const chainOf = (seals: readonly Seal[]) => followSeals(seals).chain ?? expect.fail();
    const seals: Seal[] = [rootStatement('0197f0c2-6c0e-7cc0-8d44-0d8f0a2b6a11', moment)];
    seals.push(sealEvents(chainOf(seals), { last: 8, merkleRoot: Buffer.alloc(32, 3) }, moment));
    seals.push(sealKey(chainOf(seals), next.publicKey, moment));
    fc.assert(
      fc.property(fc.nat({ max: 2 }), fc.nat(), fc.constantFrom(...'0123456789abcdefZ"'), (which, at, character) => {
        const text = canonicalSeal(seals[which] ?? expect.fail());
        const place = at % text.length;
        fc.pre(text[place] !== character);
        const altered = readSeal(`${text.slice(0, place)}${character}${text.slice(place + 1)}`);
        if (altered !== null) expect(followSeals(seals.with(which, altered)).fault).not.toBeNull();
      }),
      { numRuns: 300 },
    );
  });
});

function readSeal(text: string): Seal | null {
  try {
    return Seal.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
