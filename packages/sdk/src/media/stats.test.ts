import { expect, test } from 'vitest';
import { sampleOf, statsBetween } from './stats.ts';

type Entry = Readonly<Record<string, unknown>> & { readonly id: string };

const report = (...entries: readonly Entry[]) => new Map(entries.map((entry) => [entry.id, entry]));

const inbound = (kind: string, more: Readonly<Record<string, unknown>>): Entry => ({ id: kind, type: 'inbound-rtp', kind, ...more });
const pair: Entry = {
  id: 'pair',
  type: 'candidate-pair',
  localCandidateId: 'own',
  currentRoundTripTime: 0.042,
  nominated: true,
  state: 'succeeded',
};
const relay: Entry = { id: 'own', type: 'local-candidate', candidateType: 'relay' };

const first = report(
  inbound('audio', { packetsReceived: 100, packetsLost: 0, bytesReceived: 10_000, jitter: 0.003 }),
  inbound('video', { packetsReceived: 200, packetsLost: 2, bytesReceived: 90_000, framesDecoded: 50 }),
  { id: 'transport', type: 'transport', selectedCandidatePairId: 'pair' },
  pair,
  relay,
);
const later = report(
  inbound('audio', { packetsReceived: 150, packetsLost: 0, bytesReceived: 15_000, jitter: 0.005 }),
  inbound('video', { packetsReceived: 248, packetsLost: 4, bytesReceived: 135_000, framesDecoded: 75 }),
  { id: 'transport', type: 'transport', selectedCandidatePairId: 'pair' },
  pair,
  relay,
);

test('figures are of the time between two measurements', () => {
  const stats = statsBetween(sampleOf(first, 1_000), sampleOf(later, 2_000));
  expect(stats).toEqual({ relay: true, rttMs: 42, jitterMs: 5, lossRatio: 2 / 100, fps: 25, bitrate: 400_000 });
});

test('the first measurement knows only what needs no time', () => {
  expect(statsBetween(null, sampleOf(first, 1_000))).toEqual({
    relay: true,
    rttMs: 42,
    jitterMs: 3,
    lossRatio: null,
    fps: null,
    bitrate: null,
  });
});

test('a new connection, whose counts begin again, has no negative figures', () => {
  const stats = statsBetween(sampleOf(later, 1_000), sampleOf(first, 2_000));
  expect(stats).toMatchObject({ lossRatio: null, fps: null, bitrate: null });
});

test.each([
  ['a relay candidate', relay, true],
  ['one that opened by itself and leads to the relay', { ...relay, candidateType: 'prflx', relayProtocol: 'udp' }, true],
  ['an address of this machine', { ...relay, candidateType: 'host' }, false],
])('the selected pair is judged by its own end: %s', (_name, own, relayed) => {
  expect(sampleOf(report(pair, own, { id: 't', type: 'transport', selectedCandidatePairId: 'pair' }), 0).relayed).toBe(relayed);
});

test('where no transport is reported, the nominated pair is the one in use', () => {
  expect(sampleOf(report({ ...pair, id: 'other', nominated: false }, pair, relay), 0)).toMatchObject({ relayed: true, rttMs: 42 });
  expect(sampleOf(report(relay), 0).relayed).toBeNull();
});
