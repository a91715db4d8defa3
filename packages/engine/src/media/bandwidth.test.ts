import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adapt, type Bandwidth, type PacketFate, startBandwidth } from './bandwidth.ts';

const windowMs = 500;
const leastBps = 40_000;
const mostBps = 2_500_000;
/** Below it a session shows no face. */
const textOnlyBps = 110_000;
const bytes = 1_000;

interface Path {
  /** What the narrowest link carries, bits a second. */
  readonly capacity?: number;
  /** Bits a second that are sent whatever the estimate says. */
  readonly sending?: number;
  readonly loss?: number;
  readonly transitMs?: number;
  /** Nothing arrives from one moment to the other, ms of this path; then all at once. */
  readonly stall?: readonly [number, number];
}

/** A sender on a path with one queue; windows are 500 ms. */
class Sender {
  estimate: Bandwidth = startBandwidth;
  readonly history: number[] = [];
  #nowMs = 0;
  #freeAtMs = 0;
  #packets = 0;

  run(windows: number, { capacity = 100_000_000, sending, loss = 0, transitMs = 40, stall }: Path = {}): this {
    const startedAtMs = this.#nowMs;
    for (let nth = 0; nth < windows; nth += 1) {
      const gapMs = (bytes * 8_000) / Math.min(sending ?? this.estimate.bps, 1_500_000);
      const endMs = startedAtMs + (nth + 1) * windowMs;
      const fates: PacketFate[] = [];
      for (; this.#nowMs < endMs; this.#nowMs += gapMs) {
        this.#packets += 1;
        this.#freeAtMs = Math.max(this.#freeAtMs, this.#nowMs) + (bytes * 8_000) / capacity;
        const [from, to] = (stall ?? [0, 0]).map((at) => startedAtMs + at);
        const arrivesAtMs = this.#freeAtMs + transitMs;
        const heldUntilMs = from !== undefined && to !== undefined && arrivesAtMs >= from && arrivesAtMs < to ? to : arrivesAtMs;
        const isLost = loss > 0 && this.#packets % Math.round(1 / loss) === 0;
        fates.push({ bytes, sentAtMs: this.#nowMs, receivedAtMs: isLost ? null : 7_000_000 + heldUntilMs });
      }
      this.estimate = adapt(this.estimate, fates, null);
      this.history.push(this.estimate.bps);
    }
    return this;
  }

  get bps(): number {
    return this.estimate.bps;
  }
}

describe('the estimate', () => {
  test('rises on a good network, to its limit', () => {
    expect(new Sender().run(60).bps).toBe(mostBps);
  });

  test('falls below the capacity of a narrow link within three seconds, and stays near it', () => {
    const sender = new Sender().run(20).run(6, { capacity: 300_000 });
    expect(sender.bps).toBeLessThan(300_000);
    sender.run(60, { capacity: 300_000 });
    const later = sender.history.slice(-40);
    expect(Math.min(...later)).toBeGreaterThan(150_000);
    expect(later.reduce((sum, bps) => sum + bps, 0) / later.length).toBeLessThan(400_000);
  });

  test('finds a link that is too narrow for a face', () => {
    expect(Math.min(...new Sender().run(20).run(20, { capacity: 90_000 }).history)).toBeLessThan(textOnlyBps);
  });

  test('comes back after a narrow link got wide', () => {
    const sender = new Sender().run(10, { capacity: 200_000 });
    expect(sender.bps).toBeLessThan(200_000);
    expect(sender.run(60).bps).toBeGreaterThan(1_000_000);
  });

  test('falls under heavy loss, holds under some, and takes little for chance', () => {
    expect(new Sender().run(10, { loss: 0.25 }).bps).toBeLessThan(400_000);
    expect(new Sender().run(10, { loss: 0.05 }).bps).toBe(startBandwidth.bps);
    expect(new Sender().run(10, { loss: 0.01 }).bps).toBeGreaterThan(startBandwidth.bps);
  });
});

describe('a process that hiccups', () => {
  test.each([100, 300, 700, 1_500, 3_000])('for %i ms is no narrow network', (stallMs) => {
    const sender = new Sender().run(10, { sending: 150_000 });
    const before = sender.bps;
    sender.run(12, { sending: 150_000, stall: [600, 600 + stallMs] });
    expect(sender.bps).toBeGreaterThanOrEqual(before);
  });

  test('every second for half a minute costs no face', () => {
    const sender = new Sender();
    for (let nth = 0; nth < 30; nth += 1) sender.run(2, { sending: 150_000, stall: [200, 700] });
    expect(Math.min(...sender.history)).toBeGreaterThan(textOnlyBps);
  });
});

test('a longer route is no queue', () => {
  const sender = new Sender().run(20, { sending: 200_000 });
  const before = sender.bps;
  sender.run(60, { sending: 200_000, transitMs: 400 });
  expect(sender.bps).toBeGreaterThanOrEqual(before);
});

test('clocks that drift apart are no queue', () => {
  const sender = new Sender();
  // 500 ppm, for 20 minutes.
  for (let nth = 0; nth < 2_400; nth += 1) sender.run(1, { transitMs: 40 + nth * 0.25 });
  expect(Math.min(...sender.history)).toBeGreaterThanOrEqual(startBandwidth.bps);
});

test('the limit that the browser names holds at once, and no longer than it says', () => {
  const { estimate } = new Sender().run(1);
  const fates = Array.from({ length: 10 }, (_, nth) => ({ bytes, sentAtMs: nth, receivedAtMs: nth }));
  const limited = adapt(estimate, fates, 200_000);
  expect(limited.bps).toBe(200_000);
  expect(adapt(limited, fates, null).bps).toBeGreaterThan(200_000);
});

test('a window that says too little changes nothing', () => {
  const fate = { bytes, sentAtMs: 0, receivedAtMs: null };
  expect(adapt(startBandwidth, [], null)).toBe(startBandwidth);
  expect(adapt(startBandwidth, [fate, fate, fate, fate], null)).toBe(startBandwidth);
  // All lost: the network is away, which is not this one's to tell.
  expect(adapt(startBandwidth, [fate, fate, fate, fate, fate, fate], null)).toBe(startBandwidth);
});

test('whatever is reported, the estimate stays within its limits and forgets', () => {
  const at = fc.double({ noNaN: true, min: -1e9, max: 1e9 });
  const fate = fc.record({ bytes: fc.nat(1_500), sentAtMs: at, receivedAtMs: fc.option(at) });
  fc.assert(
    fc.property(fc.array(fc.array(fate, { maxLength: 40 }), { maxLength: 40 }), fc.option(fc.nat(10_000_000)), (windows, remb) => {
      let estimate = startBandwidth;
      for (const fates of windows) {
        estimate = adapt(estimate, fates, remb);
        expect(estimate.bps).toBeGreaterThanOrEqual(leastBps);
        expect(estimate.bps).toBeLessThanOrEqual(mostBps);
        expect(estimate.leastTransitsMs.length).toBeLessThanOrEqual(20);
      }
    }),
  );
});
