import { expect, test } from 'vitest';
import { describeWith } from '../../../../test/support/loud-skip.ts';
import { atPeak, joined, say, silence, trimmed, voicesAvailable } from '../../../../test/support/voices.ts';
import { createVad } from './silero.ts';

async function probabilities(samples: Float32Array): Promise<readonly number[]> {
  const vad = await createVad();
  const found: number[] = [];
  for (let at = 0; at + vad.frameSamples <= samples.length; at += vad.frameSamples) {
    found.push(await vad.probability(samples.subarray(at, at + vad.frameSamples)));
  }
  return found;
}

test('silence is no voice', async () => {
  expect(Math.max(...(await probabilities(silence(2_000))))).toBeLessThan(0.2);
});

test('a frame has its length', async () => {
  const vad = await createVad();
  await expect(vad.probability(new Float32Array(160))).rejects.toThrow(RangeError);
});

describeWith(voicesAvailable, 'voices (apt-get install flite espeak-ng)')('a voice', () => {
  const speech = () => trimmed(say('Why is the sky blue in the morning?', 'rms'));

  test('is heard while it speaks, and not before or after', async () => {
    const samples = speech();
    const found = await probabilities(joined(silence(960), samples, silence(1_600)));
    const first = 960 / 32;
    const last = first + Math.floor(samples.length / 512);
    expect(Math.max(...found.slice(0, first))).toBeLessThan(0.3);
    expect(found.slice(first + 3, last - 3).filter((probability) => probability > 0.5).length).toBeGreaterThan(0.85 * (last - first - 6));
    expect(Math.max(...found.slice(last + 10))).toBeLessThan(0.3);
  });

  test('is heard when it is quiet', async () => {
    const found = await probabilities(joined(silence(640), atPeak(speech(), 0.03), silence(640)));
    expect(found.filter((probability) => probability > 0.5).length).toBeGreaterThan(20);
  });

  test('is heard the same by one ear, whatever another hears, and after a reset', async () => {
    const samples = speech();
    const [mine, other] = await Promise.all([createVad(), createVad()]);
    const alone = await probabilities(samples);
    const play = async () => {
      const found: number[] = [];
      for (let at = 0; at + 512 <= samples.length; at += 512) {
        found.push(await mine.probability(samples.subarray(at, at + 512)));
        await other.probability(samples.subarray(samples.length - at - 512, samples.length - at));
      }
      return found;
    };
    expect(await play()).toEqual(alone);
    mine.reset();
    expect(await play()).toEqual(alone);
  });
});
