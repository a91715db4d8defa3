import { expect, test } from 'vitest';
import { RtcpHeader, TransportWideCC } from 'werift';
import { arrivalsOf } from './werift-feedback.ts';

/** A feedback as it is on the wire (draft-holmer-rmcat-transport-wide-cc-extensions-01), without its RTCP header. */
function feedback(base: number, count: number, body: readonly number[]): TransportWideCC {
  const head = Buffer.alloc(16);
  head.writeUInt16BE(base, 8);
  head.writeUInt16BE(count, 10);
  head.writeUIntBE(1_000, 12, 3);
  return TransportWideCC.deSerialize(Buffer.concat([head, Buffer.from(body)]), new RtcpHeader({ type: 205, count: 15, version: 2 }));
}

test('a run of packets that came, with the time of each', () => {
  // Run length: status 1 (small delta), 3 packets; deltas of 4, 8 and 0 quarters of a ms.
  expect(arrivalsOf(feedback(10, 3, [0x20, 0x03, 4, 8, 0]))).toEqual([
    { sequence: 10, atMs: 64_001 },
    { sequence: 11, atMs: 64_003 },
    { sequence: 12, atMs: 64_003 },
  ]);
});

test('status vectors of one and of two bits, after a run, with packets that did not come', () => {
  // A run of 2 lost; a vector of 14 one-bit symbols: 1, 0, 1 and the rest lost; a vector of 7 two-bit symbols: 2 (large, -1 ms), 0, 1.
  const body = [0x00, 0x02, 0b1010_1000, 0x00, 0b1110_0001, 0x00, 4, 4, 0xff, 0xfc, 8];
  const arrivals = arrivalsOf(feedback(65_535, 19, body));
  expect(arrivals.map(({ sequence }) => sequence)).toEqual([65_535, ...Array.from({ length: 18 }, (_, nth) => nth)]);
  const came = arrivals.filter(({ atMs }) => atMs !== null);
  expect(came).toEqual([
    { sequence: 1, atMs: 64_001 },
    { sequence: 3, atMs: 64_002 },
    { sequence: 15, atMs: 64_001 },
    { sequence: 17, atMs: 64_003 },
  ]);
});

test('no more packets than the feedback is about, though a vector has room for more', () => {
  const arrivals = arrivalsOf(feedback(7, 3, [0b1001_0000, 0x00, 4]));
  expect(arrivals).toEqual([
    { sequence: 7, atMs: null },
    { sequence: 8, atMs: 64_001 },
    { sequence: 9, atMs: null },
  ]);
});
