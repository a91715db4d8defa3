/** Without a packet for so long the way through the network is renewed, and then the connection itself, ms. */
const restartAfterMs = 1_500;
const replaceAfterMs = 3_000;
/** Looks further apart than this: the page slept, ms. */
const sleptMs = 4_000;

/** What is known of a connection's silence. Times are of one clock, ms. */
export interface Silence {
  readonly packets: number;
  /** When the last packet was noticed. */
  readonly sinceMs: number;
  readonly lookedAtMs: number;
  readonly restarted: boolean;
}

export type Remedy = 'none' | 'restart' | 'replace';

export function startListening(nowMs: number): Silence {
  return { packets: 0, sinceMs: nowMs, lookedAtMs: nowMs, restarted: false };
}

/** A look at the connection: the engine sends several packets a second, idle or not. */
export function look(
  before: Silence,
  { packets, nowMs }: { readonly packets: number; readonly nowMs: number },
): {
  readonly silence: Silence;
  readonly remedy: Remedy;
} {
  if (packets !== before.packets) return { silence: { packets, sinceMs: nowMs, lookedAtMs: nowMs, restarted: false }, remedy: 'none' };
  // Nobody looked while the page slept, so nobody knows how long it was silent: one step at a time from here.
  const slept = nowMs - before.lookedAtMs > sleptMs;
  const sinceMs = slept ? nowMs - restartAfterMs : before.sinceMs;
  const silence = { ...before, sinceMs, lookedAtMs: nowMs };
  const silentMs = nowMs - sinceMs;
  if (silentMs >= replaceAfterMs) return { silence, remedy: 'replace' };
  if (silentMs < restartAfterMs || before.restarted) return { silence, remedy: 'none' };
  return { silence: { ...silence, restarted: true }, remedy: 'restart' };
}
