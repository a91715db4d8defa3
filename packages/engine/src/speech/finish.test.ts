import fc from 'fast-check';
import { expect, test } from 'vitest';
import { playoutRate, type Speech, type TimedViseme } from '../media/ports.ts';
import { finishSpeech, leadMs, type RawSpeech, tailMs } from './finish.ts';

interface Plan {
  readonly rate?: number;
  /** Silence, tone, silence, ms. */
  readonly lengthsMs?: readonly [number, number, number];
  readonly amplitude?: number;
  readonly visemes?: readonly TimedViseme[];
}

/** A tone of 300 Hz in silence, one word long. */
function raw({ rate = 16_000, lengthsMs = [500, 800, 700], amplitude = 3_000, visemes = [] }: Plan = {}): RawSpeech {
  const [before, voiced, after] = lengthsMs;
  const samples = Int16Array.from({ length: ((before + voiced + after) * rate) / 1000 }, (_, index) => {
    const ms = (index * 1000) / rate;
    return ms < before || ms >= before + voiced ? 0 : amplitude * Math.sin((2 * Math.PI * 300 * index) / rate);
  });
  return { samples, rate, visemes, words: [{ from: 0, to: 5, startMs: before, endMs: before + voiced }], engine: 'tone' };
}

function durationMs({ samples }: Speech): number {
  return (samples.length * 1000) / playoutRate;
}

function rmsDb(samples: Int16Array): number {
  return 20 * Math.log10(Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length) / 32_768);
}

test.for([8_000, 16_000, 22_050, 24_000, 48_000])('at %i Hz the silence around is cut to fixed lengths, and words move along', (rate) => {
  const speech = finishSpeech(raw({ rate }));
  expect(Math.abs(durationMs(speech) - (leadMs + 800 + tailMs))).toBeLessThan(20);
  expect(Math.abs((speech.words[0]?.startMs ?? 0) - leadMs)).toBeLessThan(11);
  expect(Math.abs((speech.words[0]?.endMs ?? 0) - leadMs - 800)).toBeLessThan(11);
});

test.for([300, 1_000, 10_000, 30_000])('a voice of amplitude %i becomes as loud as the others', (amplitude) => {
  const { samples } = finishSpeech(raw({ amplitude }));
  const voiced = samples.subarray(100 * 48, 700 * 48);
  expect(rmsDb(voiced)).toBeCloseTo(-20, 0);
});

test('peaks are bent, not cut: a click does not lower the voice around it', () => {
  const clicking = raw();
  for (let index = 10_000; index < 10_004; index += 1) clicking.samples[index] = 32_767;
  const { samples } = finishSpeech(clicking);
  expect(rmsDb(samples.subarray(100 * 48, 200 * 48))).toBeGreaterThan(-21);
  expect(samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)).toBeLessThan(32_767);
});

test('a soft beginning that the timeline knows of is kept', () => {
  const whispered: readonly TimedViseme[] = [
    { viseme: 'sil', startMs: 0, endMs: 430 },
    { viseme: 'FF', startMs: 430, endMs: 500 },
    { viseme: 'aa', startMs: 500, endMs: 1_300 },
    { viseme: 'sil', startMs: 1_300, endMs: 2_000 },
  ];
  const speech = finishSpeech(raw({ visemes: whispered }));
  expect(speech.visemes.map(({ viseme, startMs }) => [viseme, Math.round(startMs)])).toEqual([
    ['sil', 0],
    ['FF', leadMs],
    ['aa', leadMs + 70],
    ['sil', leadMs + 870],
  ]);
  expect(speech.visemes.at(-1)?.endMs).toBe(durationMs(speech));
});

test('lips that are closed for long before the voice do not hold it up', () => {
  const slow: readonly TimedViseme[] = [
    { viseme: 'PP', startMs: 100, endMs: 500 },
    { viseme: 'aa', startMs: 500, endMs: 1_300 },
  ];
  const speech = finishSpeech(raw({ visemes: slow }));
  expect(speech.samples.findIndex((sample) => Math.abs(sample) > 500) / 48).toBeLessThan(leadMs + 110);
  expect(speech.visemes[0]).toMatchObject({ viseme: 'PP', startMs: 0 });
});

test('silence is no speech', () => {
  expect(finishSpeech(raw({ amplitude: 0 }))).toMatchObject({ visemes: [], words: [] });
  expect(finishSpeech(raw({ lengthsMs: [0, 0, 0] })).samples.length).toBe(0);
});

test('whatever surrounds it, a voice keeps its length, and starts and ends in silence', () => {
  const length = fc.integer({ min: 0, max: 1_200 });
  fc.assert(
    fc.property(length, fc.integer({ min: 60, max: 1_500 }), length, (before, voiced, after) => {
      const speech = finishSpeech(raw({ rate: 8_000, lengthsMs: [before, voiced, after] }));
      expect(Math.abs(durationMs(speech) - (leadMs + voiced + tailMs))).toBeLessThan(25);
      expect(Math.abs(speech.samples[0] ?? 1)).toBeLessThan(40);
      expect(speech.samples.at(-1)).toBe(0);
    }),
    { numRuns: 50 },
  );
});
