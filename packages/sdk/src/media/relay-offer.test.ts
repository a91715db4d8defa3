import { expect, test } from 'vitest';
import type { WebrtcConfig } from '../media-contract.ts';
import { relayedOnly, relayServers } from './relay-offer.ts';

const config = (...urls: readonly string[]): WebrtcConfig => ({
  iceServers: [{ urls, username: 'u', credential: 'c' }],
  iceTransportPolicy: 'relay',
  expiresAt: '2030-01-01T00:00:00.000Z',
  publicIp: '127.0.0.1',
  portRange: { min: 10_110, max: 10_110 },
  voice: { speaks: true, listens: true, face: true, missing: [] },
});
const udp = 'turn:school.test:10110?transport=udp';
const tcp = 'turn:school.test:10110?transport=tcp';

test('one way to the relay is tried at a time, so that one of its ports is taken', () => {
  expect(relayServers(config(udp, tcp), 'udp')).toEqual([{ urls: [udp], username: 'u', credential: 'c' }]);
  expect(relayServers(config(udp, tcp), 'tcp')).toEqual([{ urls: [tcp], username: 'u', credential: 'c' }]);
  expect(relayServers(config(udp), 'tcp')).toEqual([{ urls: [udp], username: 'u', credential: 'c' }]);
});

test('what is no relay is left out, and without a relay nothing is connected', () => {
  expect(relayServers(config('stun:school.test:3478', udp), 'udp')[0]?.urls).toEqual([udp]);
  expect(() => relayServers(config('stun:school.test:3478'), 'udp')).toThrow(expect.objectContaining({ code: 'media_blocked' }));
});

const offer = (...candidates: readonly string[]) =>
  ['v=0', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', ...candidates.map((line) => `a=candidate:${line}`), ''].join('\r\n');
const relayed = '1 1 udp 1 10.0.0.1 50000 typ relay raddr 0.0.0.0 rport 0';

test('an offer names the relay and no other way', () => {
  const sdp = relayedOnly(
    offer('2 1 udp 2 192.168.0.7 4000 typ host', relayed, '3 1 udp 3 203.0.113.9 4001 typ srflx raddr 0.0.0.0 rport 0'),
  );
  expect(sdp).toBe(offer(relayed));
});

test('an offer without a way through the relay is not made', () => {
  expect(() => relayedOnly(offer('2 1 udp 2 192.168.0.7 4000 typ host'))).toThrow(expect.objectContaining({ code: 'relay_unavailable' }));
});
