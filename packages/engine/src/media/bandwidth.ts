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

export interface Bandwidth {
  /** Bits a second that may be sent. */
  readonly bps: number;
  /** Least transit time seen lately, ms on mixed clocks: only its changes mean something. */
  readonly baseTransitMs: number | null;
}

export const startBandwidth: Bandwidth = { bps: 1_000_000, baseTransitMs: null };

const leastBps = 40_000;
const mostBps = 2_500_000;
/** Loss that a sender answers by sending less, and that it takes as chance. */
const heavyLoss = 0.1;
const lightLoss = 0.02;
/** Time in a queue that says that it is growing, ms. */
const queueMs = 120;
/** Clocks drift apart and routes change: the base forgets, ms a window. */
const baseDriftMs = 0.5;

/** One window of feedback, about half a second; `remb` is the browser's own limit, bits a second. */
export function adapt(before: Bandwidth, fates: readonly PacketFate[], remb: number | null): Bandwidth {
  const arrived = fates.flatMap(({ sentAtMs, receivedAtMs }) => (receivedAtMs === null ? [] : [receivedAtMs - sentAtMs]));
  if (fates.length < 5 || arrived.length === 0) return before;
  const loss = 1 - arrived.length / fates.length;
  const transitMs = arrived.toSorted((a, b) => a - b)[arrived.length >> 1] ?? 0;
  const baseTransitMs = Math.min(...arrived, (before.baseTransitMs ?? transitMs) + baseDriftMs);
  const queued = transitMs - baseTransitMs > queueMs;
  const factor = queued ? 0.85 : loss > heavyLoss ? 1 - loss / 2 : loss < lightLoss ? 1.06 : 1;
  const bps = Math.min(mostBps, remb ?? mostBps, Math.max(leastBps, before.bps * factor));
  return { bps, baseTransitMs };
}
