import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ArrivedPacket, type OrderedPacket, PacketOrder } from './packet-order.ts';

/** Packet number `index` of a track that began anywhere; its payload says its number. */
function packet(index: number, { firstSequence = 65_530, firstTimestamp = 4_294_960_000, pausedSamples = 0 } = {}): ArrivedPacket {
  return {
    payload: Uint8Array.of(index),
    sequence: (firstSequence + index) & 0xffff,
    timestamp: (firstTimestamp + index * 960 + pausedSamples) >>> 0,
  };
}

function play(packets: readonly ArrivedPacket[]): readonly (number | 'lost' | 'silence')[] {
  const order = new PacketOrder();
  return packets
    .flatMap((arrived) => order.push(arrived))
    .map((out: OrderedPacket) => (out.type === 'packet' ? (out.payload[0] ?? -1) : out.type));
}

describe('packets', () => {
  test('pass at once when they come in order, also where the numbers wrap', () => {
    const order = new PacketOrder();
    for (let index = 0; index < 20; index += 1)
      expect(order.push(packet(index))).toMatchObject([{ type: 'packet', payload: Uint8Array.of(index) }]);
  });

  test('that overtook each other are put in order', () => {
    expect(play([0, 2, 1, 3, 5, 4, 6].map((index) => packet(index)))).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test('that never come are lost after three that did', () => {
    expect(play([0, 2, 3].map((index) => packet(index)))).toEqual([0]);
    expect(play([0, 2, 3, 4].map((index) => packet(index)))).toEqual([0, 'lost', 2, 3, 4]);
  });

  test('that come twice or too late pass once or not at all', () => {
    expect(play([0, 1, 1, 0, 2, 4, 5, 6, 3, 7].map((index) => packet(index)))).toEqual([0, 1, 2, 'lost', 4, 5, 6, 7]);
  });

  test('of another stream begin anew', () => {
    expect(play([packet(0), packet(1), packet(2, { firstSequence: 20_000 }), packet(3, { firstSequence: 20_000 })])).toEqual([0, 1, 2, 3]);
  });

  test('after a pause of the sender come after silence, of two seconds at most', () => {
    const order = new PacketOrder();
    order.push(packet(0));
    expect(order.push(packet(1, { pausedSamples: 48_000 }))).toMatchObject([{ type: 'silence', samples: 48_960 }, { type: 'packet' }]);
    expect(order.push(packet(2, { pausedSamples: 48_000_000 }))).toMatchObject([{ type: 'silence', samples: 96_000 }, { type: 'packet' }]);
  });
});

test('any disorder within three packets is put right', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 2, maxLength: 60 }), (delays) => {
      // Each packet is late by less than two and a half packets; the first one is not.
      const arrivals = delays.map((delay, index) => ({ index, at: index + (index === 0 ? -10 : delay / 10) })).sort((a, b) => a.at - b.at);
      expect(
        play([...arrivals.map(({ index }) => packet(index)), packet(60), packet(61), packet(62)]).filter(
          (out) => typeof out === 'number' && out < 60,
        ),
      ).toEqual(delays.map((_, index) => index));
    }),
  );
});

test('whatever comes, packets pass in order and at most once', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 200 }), (indexes) => {
      const passed = play(indexes.map((index) => packet(index))).filter((out) => typeof out === 'number');
      expect(passed).toEqual([...new Set(passed)].sort((a, b) => a - b));
    }),
  );
});
