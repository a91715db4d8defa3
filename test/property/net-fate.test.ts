import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Conditions, Fates, perfect } from '../support/net-fate.ts';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const conditions: fc.Arbitrary<Conditions> = fc.record({
  delayMs: fc.integer({ min: 0, max: 400 }),
  jitterMs: fc.integer({ min: 0, max: 200 }),
  loss: share,
  duplicate: share,
  reorder: share,
});

/** Fates of packets that come every 20 ms. */
function fatesOf(seed: number, all: readonly Conditions[]) {
  const fates = new Fates(seed);
  return all.map((one, index) => fates.next(one, index * 20));
}

describe('a simulated network', () => {
  test('does the same to every packet when the seed is the same', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(conditions), (seed, all) => {
        expect(fatesOf(seed, all)).toEqual(fatesOf(seed, all));
      }),
    );
  });

  test('decides the same about loss after a change of conditions as without it', () => {
    fc.assert(
      fc.property(fc.integer(), conditions, (seed, before) => {
        const later = Array.from({ length: 20 }, () => ({ ...perfect, loss: 0.5 }));
        const changed = fatesOf(seed, [before, ...later]).slice(1);
        const unchanged = fatesOf(seed, [perfect, ...later]).slice(1);
        expect(changed.map(({ length }) => length)).toEqual(unchanged.map(({ length }) => length));
      }),
    );
  });

  test('keeps the order of packets unless it is told to reorder', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(conditions), (seed, all) => {
        const arrivals = fatesOf(
          seed,
          all.map((one) => ({ ...one, reorder: 0, duplicate: 0 })),
        ).flatMap((fate, index) => fate.map((ms) => index * 20 + ms));
        expect(arrivals).toEqual(arrivals.toSorted((a, b) => a - b));
      }),
    );
  });

  test('loses, doubles and delays as many as it was asked to', () => {
    const all = fatesOf(
      7,
      Array.from({ length: 20_000 }, () => ({ delayMs: 50, jitterMs: 30, loss: 0.02, duplicate: 0.1, reorder: 0.05 })),
    );
    const arrived = all.filter(({ length }) => length > 0);
    expect(1 - arrived.length / all.length).toBeCloseTo(0.02, 2);
    expect(arrived.filter(({ length }) => length === 2).length / arrived.length).toBeCloseTo(0.1, 1);
    const delays = arrived.flatMap(([first]) => first ?? []);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(50);
    expect(delays.filter((ms) => ms > 75).length / delays.length).toBeGreaterThan(0.05);
  });
});
