import { describe, expect, test } from 'vitest';
import { createOpusDecoder, createOpusEncoder } from './node-av-opus.ts';

const frameSamples = 960;

/** Frame `index` of an endless tone. */
function tone(index: number, hz = 220): Int16Array {
  return Int16Array.from({ length: frameSamples }, (_, i) => 8000 * Math.sin((2 * Math.PI * hz * (index * frameSamples + i)) / 48_000));
}

function loudness(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

describe('Opus', () => {
  test('a tone survives encoding and decoding as loud as it was', () => {
    using encoder = createOpusEncoder({ bps: 32_000 });
    using decoder = createOpusDecoder();
    const heard = Array.from({ length: 10 }, (_, i) => decoder.decode(encoder.encode(tone(i))));
    expect(heard.every((samples) => samples.length === frameSamples)).toBe(true);
    expect(loudness(heard[9] ?? new Int16Array(1)) / loudness(tone(9))).toBeCloseTo(1, 1);
  });

  test('a packet costs what the bitrate allows', () => {
    using encoder = createOpusEncoder({ bps: 24_000 });
    const bytes = Array.from({ length: 100 }, (_, i) => encoder.encode(tone(i, 200 + i)).length);
    expect(bytes.reduce((sum, n) => sum + n, 0)).toBeLessThan((24_000 / 8) * 2 * 1.15);
  });

  test('a packet is its own copy: encoding on does not change it', () => {
    using encoder = createOpusEncoder({ bps: 32_000 });
    const packet = encoder.encode(tone(0));
    const before = [...packet];
    for (let i = 1; i < 20; i += 1) encoder.encode(tone(i, 1000));
    expect([...packet]).toEqual(before);
  });

  test('a lost packet is concealed with more of the same, and many lost ones fade out', () => {
    using encoder = createOpusEncoder({ bps: 32_000 });
    using decoder = createOpusDecoder();
    for (let i = 0; i < 10; i += 1) decoder.decode(encoder.encode(tone(i)));
    const concealed = Array.from({ length: 20 }, () => loudness(decoder.decode(null)));
    expect(concealed[0]).toBeGreaterThan(loudness(tone(0)) * 0.6);
    expect(concealed[19]).toBeLessThan(loudness(tone(0)) * 0.1);
  });

  test('a loss before anything was heard is 20 ms of silence', () => {
    using decoder = createOpusDecoder();
    expect(loudness(decoder.decode(null))).toBe(0);
    expect(decoder.decode(null)).toHaveLength(frameSamples);
  });

  test.each([
    ['empty', []],
    ['a code-3 packet without its frame count', [0xff]],
    ['frames that do not fit', [0xff, 0xff, 0xff]],
  ])('a malformed packet (%s) throws and the decoder goes on', (_, bytes) => {
    using encoder = createOpusEncoder({ bps: 32_000 });
    using decoder = createOpusDecoder();
    expect(() => decoder.decode(Uint8Array.from(bytes))).toThrow();
    expect(decoder.decode(encoder.encode(tone(0)))).toHaveLength(frameSamples);
  });

  test('a frame of another length is refused', () => {
    using encoder = createOpusEncoder({ bps: 32_000 });
    expect(() => encoder.encode(new Int16Array(480))).toThrow(RangeError);
  });

  test('closing twice is harmless', () => {
    const encoder = createOpusEncoder({ bps: 32_000 });
    const decoder = createOpusDecoder();
    for (const codec of [encoder, encoder, decoder, decoder]) codec[Symbol.dispose]();
  });
});
