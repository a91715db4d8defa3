/*
 * What the network carries, from transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01):
 * less when packets are lost or queue up, slowly more when they are not. Pure: one fold per feedback window.
 */

export interface PacketFate {
  readonly bytes: number;
  /** Engine clock, ms. */
  readonly sentAtMs: number;
  /** Browser clock, ms; null: lost. */
  readonly receivedAtMs: number | null;
}

type Arrived = PacketFate & { readonly receivedAtMs: number };

export interface Bandwidth {
  /** Bits a second that may be sent. */
  readonly bps: number;
  /** Least transit time of each of the latest windows, ms on mixed clocks: only differences mean something. */
  readonly leastTransitsMs: readonly number[];
}

export const startBandwidth: Bandwidth = { bps: 1_000_000, leastTransitsMs: [] };

const leastBps = 40_000;
const mostBps = 2_500_000;
/** Loss that a sender answers by sending less, and that it takes as chance. */
const heavyLoss = 0.1;
const lightLoss = 0.02;
const growth = 1.06;
/** Time that nearly all packets of a window spent in a queue, ms: a process that hiccups holds up only some. */
const queueMs = 200;
/** A window that takes so much longer to arrive than to send fills a queue; a late burst takes less. */
const stretched = 1.1;
/** Share of what arrives that is sent while a queue drains. */
const drain = 0.9;
/** Clocks drift apart and routes change: windows whose transit times are remembered, 10 s. */
const remembered = 20;

/** One window of feedback, about half a second; `remb` is the browser's own limit, bits a second. */
export function adapt(before: Bandwidth, fates: readonly PacketFate[], remb: number | null): Bandwidth {
  const arrived = fates.flatMap(({ bytes, sentAtMs, receivedAtMs }) => (receivedAtMs === null ? [] : [{ bytes, sentAtMs, receivedAtMs }]));
  if (fates.length < 5 || arrived.length === 0) return before;
  const transitsMs = arrived.map(({ sentAtMs, receivedAtMs }) => receivedAtMs - sentAtMs).toSorted((a, b) => a - b);
  const leastTransitsMs = [...before.leastTransitsMs, transitsMs[0] ?? 0].slice(-remembered);
  const waitedMs = (transitsMs[transitsMs.length >> 2] ?? 0) - Math.min(...leastTransitsMs);
  const loss = 1 - arrived.length / fates.length;
  return { bps: withinLimits(waitedMs > queueMs ? drained(before.bps, arrived) : before.bps * factorOf(loss), remb), leastTransitsMs };
}

/** What may be sent where the browser gives no feedback but its own limit. */
export function withinLimits(bps: number, remb: number | null): number {
  return Math.max(leastBps, Math.min(mostBps, remb ?? mostBps, bps));
}

function factorOf(loss: number): number {
  if (loss > heavyLoss) return 1 - loss / 2;
  return loss < lightLoss ? growth : 1;
}

/** Behind a queue: a little less than comes through, if it is what is sent that fills it. */
function drained(bps: number, arrived: readonly Arrived[]): number {
  const { bytes, sendingMs, receivingMs } = flowOf(arrived);
  return receivingMs > sendingMs * stretched ? Math.min(bps, ((bytes * 8_000) / receivingMs) * drain) : bps;
}

/** From the first packet to the last, without the longest wait: that is where something stood still, if anything did. */
function flowOf(arrived: readonly Arrived[]): { readonly bytes: number; readonly sendingMs: number; readonly receivingMs: number } {
  const inOrder = arrived.toSorted((a, b) => a.receivedAtMs - b.receivedAtMs);
  const steps = inOrder.slice(1).map(({ bytes, sentAtMs, receivedAtMs }, nth) => {
    const before = inOrder[nth];
    return { bytes, sendingMs: sentAtMs - (before?.sentAtMs ?? 0), receivingMs: receivedAtMs - (before?.receivedAtMs ?? 0) };
  });
  const longest = Math.max(...steps.map(({ receivingMs }) => receivingMs));
  const without = steps.toSpliced(
    steps.findIndex(({ receivingMs }) => receivingMs === longest),
    1,
  );
  const sum = (part: 'bytes' | 'sendingMs' | 'receivingMs'): number => without.reduce((total, step) => total + step[part], 0);
  return { bytes: sum('bytes'), sendingMs: sum('sendingMs'), receivingMs: sum('receivingMs') };
}
