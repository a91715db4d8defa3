import { WhisperFeatureExtractor } from '@huggingface/transformers';
import { expect, test } from 'vitest';
import { logMel, melBins, melFrames } from './mel.ts';

/** The same step by transformers.js 4.3, which took nothing from ours. */
async function reference(samples: Float32Array): Promise<Float32Array> {
  const extractor = new WhisperFeatureExtractor({
    feature_size: 80,
    sampling_rate: 16_000,
    hop_length: 160,
    n_fft: 400,
    n_samples: 480_000,
    nb_max_frames: 3_000,
  });
  const { input_features: features } = await extractor._call(samples);
  if (!(features.data instanceof Float32Array)) throw new Error('the reference gave no floats');
  return features.data;
}

function differenceOf(ours: Float32Array, theirs: Float32Array): number {
  expect(ours).toHaveLength(theirs.length);
  return ours.reduce((most, value, index) => Math.max(most, Math.abs(value - (theirs[index] ?? Number.NaN))), 0);
}

const seconds = (length: number, of: (time: number) => number) =>
  Float32Array.from({ length: length * 16_000 }, (_, index) => of(index / 16_000));
let seed = 7;
const noise = () => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed / 2_147_483_647 - 0.5;
};
const signals: Readonly<Record<string, Float32Array>> = {
  'a tone': seconds(1, (time) => 0.5 * Math.sin(2 * Math.PI * 440 * time)),
  'a rising tone with a hum': seconds(
    2,
    (time) => 0.3 * Math.sin(2 * Math.PI * (80 + 1_500 * time) * time) + 0.01 * Math.sin(2 * Math.PI * 50 * time),
  ),
  'noise to the last of 30 s': seconds(30, noise),
  'a click': Float32Array.of(1),
};

test.for(Object.entries(signals))('the spectrogram of %s is that of another implementation', { timeout: 60_000 }, async ([, samples]) => {
  expect(differenceOf(logMel(samples), await reference(samples))).toBeLessThan(1e-4);
});

test('silence is -1.5 throughout: (log10(1e-10) + 4) / 4', () => {
  const mel = logMel(new Float32Array(16_000));
  expect(mel).toHaveLength(melBins * melFrames);
  expect(new Set(mel)).toEqual(new Set([-1.5]));
});

test('nothing lies more than 2 below the loudest', () => {
  const mel = logMel(signals['a tone'] ?? new Float32Array());
  expect(Math.max(...mel.subarray(0, 80_000)) - Math.min(...mel.subarray(0, 80_000))).toBeCloseTo(2, 5);
});

test('more than 30 s is refused', () => {
  expect(() => logMel(new Float32Array(480_001))).toThrow(RangeError);
});
