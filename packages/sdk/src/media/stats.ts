import type { MediaStats } from '../media-contract.ts';

/** What `getStats` says of the tutor's voice and picture, summed up. */
export interface StatsSample {
  readonly atMs: number;
  /** Received, of audio and video, as the following. */
  readonly packets: number;
  readonly lost: number;
  readonly bytes: number;
  /** Video frames decoded. */
  readonly frames: number;
  readonly jitterMs: number | null;
  readonly rttMs: number | null;
  /** Whether the selected pair leads to the relay; null: no pair is selected. */
  readonly relayed: boolean | null;
}

type Entry = Readonly<Record<string, unknown>>;

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null;
}

function numberIn(entry: Entry | undefined, name: string): number | null {
  const value = entry?.[name];
  return typeof value === 'number' ? value : null;
}

/** Field names: https://www.w3.org/TR/webrtc-stats/ */
export function sampleOf(report: Pick<RTCStatsReport, 'forEach'>, atMs: number): StatsSample {
  const entries = new Map<string, Entry>();
  report.forEach((entry: unknown, id: string) => {
    if (isEntry(entry)) entries.set(id, entry);
  });
  const all = [...entries.values()];
  const inbound = all.filter((entry) => entry['type'] === 'inbound-rtp');
  const sum = (name: string) => inbound.reduce((total, entry) => total + (numberIn(entry, name) ?? 0), 0);
  const audio = inbound.find((entry) => entry['kind'] === 'audio');
  const jitter = numberIn(audio, 'jitter');
  const pair = selectedPair(entries);
  const rtt = numberIn(pair, 'currentRoundTripTime');
  return {
    atMs,
    packets: sum('packetsReceived'),
    lost: sum('packetsLost'),
    bytes: sum('bytesReceived'),
    frames: sum('framesDecoded'),
    jitterMs: jitter === null ? null : jitter * 1000,
    rttMs: rtt === null ? null : rtt * 1000,
    relayed: pair === undefined ? null : isRelayed(entries.get(String(pair['localCandidateId']))),
  };
}

function selectedPair(entries: ReadonlyMap<string, Entry>): Entry | undefined {
  const all = [...entries.values()];
  const chosen = all.find((entry) => entry['type'] === 'transport')?.['selectedCandidatePairId'];
  if (typeof chosen === 'string') return entries.get(chosen);
  // Firefox has no transport entry.
  return all.find((entry) => entry['type'] === 'candidate-pair' && entry['nominated'] === true && entry['state'] === 'succeeded');
}

/** A pair that opened by itself is `prflx`; `relayProtocol` then tells that it leads to the relay (rtcstats.com). */
function isRelayed(candidate: Entry | undefined): boolean {
  return candidate?.['candidateType'] === 'relay' || typeof candidate?.['relayProtocol'] === 'string';
}

export function statsBetween(before: StatsSample | null, now: StatsSample): MediaStats {
  const seconds = before === null ? 0 : (now.atMs - before.atMs) / 1000;
  const measured = before !== null && seconds > 0 && now.packets >= before.packets;
  const packets = measured ? now.packets - before.packets : 0;
  const lost = measured ? Math.max(0, now.lost - before.lost) : 0;
  return {
    relay: true,
    rttMs: now.rttMs,
    jitterMs: now.jitterMs,
    lossRatio: packets + lost === 0 ? null : lost / (packets + lost),
    fps: measured ? (now.frames - before.frames) / seconds : null,
    bitrate: measured ? ((now.bytes - before.bytes) * 8) / seconds : null,
  };
}
