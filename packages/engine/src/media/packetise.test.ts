import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packetise } from './packetise.ts';

const mostBytes = 1_104;
const startCode = Buffer.from([0, 0, 0, 1]);

/** RFC 7741 section 4.2, as far as this sender goes. */
function readVp8(payload: Buffer): { readonly begins: boolean; readonly pictureId: number; readonly data: Buffer } {
  expect(payload[0] ?? 0).toSatisfy((first: number) => (first & 0xef) === 0x80);
  expect(payload[1]).toBe(0x80);
  const id = payload.readUInt16BE(2);
  expect(id & 0x8000).toBe(0x8000);
  return { begins: ((payload[0] ?? 0) & 0x10) !== 0, pictureId: id & 0x7fff, data: payload.subarray(4) };
}

/** RFC 6184 sections 5.6 and 5.8. */
function reassembleH264(payloads: readonly Buffer[]): readonly Buffer[] {
  const units: Buffer[] = [];
  let open: Buffer[] | null = null;
  for (const payload of payloads) {
    const [indicator = 0, header = 0] = payload;
    if ((indicator & 0x1f) !== 28) {
      expect(open).toBeNull();
      units.push(payload);
      continue;
    }
    expect((header & 0x80) !== 0).toBe(open === null);
    open ??= [Buffer.from([(indicator & 0xe0) | (header & 0x1f)])];
    open.push(payload.subarray(2));
    if ((header & 0x40) === 0) continue;
    units.push(Buffer.concat(open));
    open = null;
  }
  expect(open).toBeNull();
  return units;
}

describe('VP8', () => {
  test('a frame comes back whole, its first packet marked, all under one picture id', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 5_000 }), fc.nat(0x7fff), (data, pictureId) => {
        const packets = packetise('VP8', { data, key: false }, pictureId);
        const read = packets.map(readVp8);
        expect(read.map(({ begins }) => begins)).toEqual(packets.map((_, nth) => nth === 0));
        expect(new Set(read.map((packet) => packet.pictureId))).toEqual(new Set([pictureId]));
        expect(Buffer.concat(read.map((packet) => packet.data)).equals(data)).toBe(true);
        for (const packet of packets) expect(packet.length).toBeLessThanOrEqual(mostBytes);
      }),
    );
  });

  test('the last byte of a packet never makes one more, empty packet', () => {
    expect(packetise('VP8', { data: new Uint8Array(1_100), key: true }, 0)).toHaveLength(1);
    expect(packetise('VP8', { data: new Uint8Array(1_101), key: true }, 0)).toHaveLength(2);
    expect(packetise('VP8', { data: new Uint8Array(0), key: true }, 0)).toHaveLength(0);
  });
});

/** No start code inside, none that begins with the next one: a unit never ends with zero (Annex B, 7.4.1). */
const unit = fc
  .tuple(fc.constantFrom(0x67, 0x68, 0x65, 0x41, 0x06), fc.uint8Array({ maxLength: 4_000 }))
  .map(([head, rest]) => Buffer.from([head, ...rest.map((byte) => byte | 0x01)]));

describe('H.264', () => {
  test('the units of a picture come back whole and in order, long ones as fragments', () => {
    fc.assert(
      fc.property(fc.array(unit, { minLength: 1, maxLength: 5 }), fc.boolean(), (units, short) => {
        const code = short ? startCode.subarray(1) : startCode;
        const payloads = packetise('H264', { data: Buffer.concat(units.flatMap((each) => [code, each])), key: false }, 0);
        for (const payload of payloads) expect(payload.length).toBeLessThanOrEqual(mostBytes);
        expect(reassembleH264(payloads)).toEqual(units);
      }),
    );
  });

  test('zeros inside a unit stay in it', () => {
    const [first, second] = [Buffer.from([0x65, 0, 0, 3, 1, 0, 0, 3, 0xff]), Buffer.from([0x41, 9])];
    const data = Buffer.concat([startCode, first, startCode, second]);
    expect(packetise('H264', { data, key: true }, 0)).toEqual([first, second]);
  });

  test('what holds no start code is no picture', () => {
    expect(packetise('H264', { data: Uint8Array.of(1, 2, 3), key: false }, 0)).toEqual([]);
  });
});
