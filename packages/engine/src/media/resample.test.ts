import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asFloats, asInt16, createResampler, resample } from './resample.ts';

/** Every conversion this engine does: synthesisers' rates up, the microphone's down. */
const conversions = [
  [8_000, 48_000],
  [16_000, 48_000],
  [22_050, 48_000],
  [24_000, 48_000],
  [48_000, 16_000],
] as const;

function tone(hz: number, rate: number, seconds = 0.5): Float32Array {
  return Float32Array.from({ length: Math.round(rate * seconds) }, (_, index) => 0.5 * Math.sin((2 * Math.PI * hz * index) / rate));
}

function powerDb(samples: Float32Array): number {
  return 10 * Math.log10(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length + 1e-20);
}

/** Without the edges, where the signal begins out of nothing. */
function middle(samples: Float32Array): Float32Array {
  return samples.slice(Math.round(samples.length * 0.1), Math.round(samples.length * 0.9));
}

test.for(conversions)('a tone from %i to %i Hz keeps its pitch, phase and level, 70 dB above the error', ([from, to]) => {
  for (const share of [0.01, 0.1, 0.3, 0.6, 0.8]) {
    const hz = (share * Math.min(from, to)) / 2;
    const expected = middle(tone(hz, to));
    const actual = middle(resample(tone(hz, from), from, to));
    const error = expected.map((sample, index) => sample - (actual[index] ?? 0));
    expect(powerDb(expected) - powerDb(error), `${hz} Hz`).toBeGreaterThan(70);
  }
});

test('what the lower rate cannot hold is gone instead of folded back', () => {
  for (const hz of [8_000, 9_000, 12_000, 15_900, 20_000]) {
    expect(powerDb(middle(resample(tone(hz, 48_000), 48_000, 16_000))), `${hz} Hz`).toBeLessThan(-75);
  }
});

test('going up leaves no images above the old band', () => {
  // At 16 kHz, 6 kHz has its image at 10 kHz.
  const up = middle(resample(tone(6_000, 16_000), 16_000, 48_000));
  const image = up.map((sample, index) => sample * Math.sin((2 * Math.PI * 10_000 * index) / 48_000));
  const correlation = Math.abs(image.reduce((sum, sample) => sum + sample, 0) / image.length);
  expect(20 * Math.log10(correlation)).toBeLessThan(-75);
});

test('a stream cut anywhere becomes the same samples', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...conversions),
      fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 12 }),
      ([from, to], sizes) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const whole = Float32Array.from({ length: total }, (_, index) => Math.sin(index * index * 0.001));
        const resampler = createResampler(from, to);
        const pieces: number[] = [];
        let at = 0;
        for (const size of sizes) {
          pieces.push(...resampler.push(whole.subarray(at, at + size)));
          at += size;
        }
        pieces.push(...resampler.flush());
        expect(pieces).toEqual([...resample(whole, from, to)]);
        expect(pieces.length).toBe(Math.ceil((total * to) / from));
      },
    ),
    { numRuns: 60 },
  );
});

test('a stream answers without waiting for its end, a fixed delay behind', () => {
  const resampler = createResampler(48_000, 16_000);
  let made = 0;
  for (let frame = 1; frame <= 50; frame += 1) {
    made += resampler.push(new Int16Array(960)).length;
    expect(frame * 960 - made * 3).toBeLessThanOrEqual(resampler.delaySamples);
  }
  expect(resampler.delaySamples / 48).toBeLessThan(3);
});

test('a flushed stream starts anew', () => {
  const resampler = createResampler(16_000, 48_000);
  const once = [...resampler.push(tone(440, 16_000, 0.1)), ...resampler.flush()];
  expect([...resampler.push(tone(440, 16_000, 0.1)), ...resampler.flush()]).toEqual(once);
});

test('equal rates change nothing', () => {
  const samples = tone(1_000, 48_000, 0.05);
  expect([...resample(samples, 48_000, 48_000)]).toEqual([...samples]);
});

test('16-bit samples survive the way there and back, and what is too loud is clipped', () => {
  const samples = Int16Array.of(-32_768, -1, 0, 1, 32_767);
  expect(asInt16(asFloats(samples))).toEqual(samples);
  expect(asInt16(Float32Array.of(1.5, -1.5))).toEqual(Int16Array.of(32_767, -32_768));
});

test.for([
  [0, 48_000],
  [48_000, -1],
  [22_050.5, 48_000],
  [47_999, 48_000],
])('rates that no filter is made for are refused: %f to %f Hz', ([from, to]) => {
  expect(() => createResampler(from ?? 0, to ?? 0)).toThrow(RangeError);
});
