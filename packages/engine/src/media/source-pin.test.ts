import { beforeEach, expect, test } from 'vitest';
import { SourcePin } from './source-pin.ts';

const relay = '192.0.2.1';
const at = (port: number) => ({ address: relay, port });
const stun = Buffer.from('000100002112a442000000000000000000000000', 'hex');

let nowMs: number;
let pin: SourcePin;
beforeEach(() => {
  nowMs = 0;
  pin = new SourcePin(() => nowMs);
});

function rtp(source: number): Buffer {
  const packet = Buffer.alloc(20, 0x80);
  packet.writeUInt32BE(source, 8);
  packet[1] = 111;
  return packet;
}

test('nothing is admitted before signalling named an address', () => {
  expect(pin.admits(stun, relay, 50_000)).toBe(false);
});

test('the address and the port that signalling named are, and no other', () => {
  pin.replace([at(50_000)]);
  nowMs = 70;
  expect(pin.admits(stun, relay, 50_000)).toBe(true);
  nowMs = 90;
  expect(pin.admits(stun, relay, 50_001)).toBe(false);
  expect(pin.admits(stun, '192.0.2.2', 50_000)).toBe(false);
  expect(pin.heardAtMs).toBe(70);
  expect(pin.dropped).toBe(2);
});

test('after a restart of ICE the old address stays until the new one is connected', () => {
  pin.replace([at(50_000)]);
  pin.replace([at(50_002)]);
  expect(pin.admits(stun, relay, 50_000)).toBe(true);
  expect(pin.admits(stun, relay, 50_002)).toBe(true);
  pin.settle();
  expect(pin.admits(stun, relay, 50_000)).toBe(false);
  expect(pin.admits(stun, relay, 50_002)).toBe(true);
});

test('candidates that come one by one are admitted, four at most, each counted once', () => {
  for (const port of [1, 2, 2, 3, 4, 4]) expect(pin.add(at(port))).toBe(true);
  expect(pin.add(at(5))).toBe(false);
  expect(pin.admits(stun, relay, 5)).toBe(false);
});

test('a thousand datagrams a second are admitted, and as many again a second later', () => {
  pin.replace([at(1)]);
  const admitted = () => Array.from({ length: 3_000 }, () => pin.admits(stun, relay, 1)).filter(Boolean).length;
  expect(admitted()).toBe(1_000);
  nowMs = 1_000;
  expect(admitted()).toBe(1_000);
  nowMs = 1_500;
  expect(admitted()).toBe(500);
});

test('eight sources of media are admitted: werift would keep a state for each of four milliards', () => {
  pin.replace([at(1)]);
  const admitted = Array.from({ length: 20 }, (_, nth) => pin.admits(rtp(nth), relay, 1));
  expect(admitted.filter(Boolean)).toHaveLength(8);
  expect(pin.admits(rtp(0), relay, 1)).toBe(true);
  expect(pin.admits(stun, relay, 1)).toBe(true);
});
