import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../../../../test/support/loud-skip.ts';
import { seeded } from '../../../../test/support/seeded.ts';
import { atPeak, joined, say, silence, voicesAvailable } from '../../../../test/support/voices.ts';
import type { Asr } from '../media/ports.ts';
import { createMoonshine, moonshineFiles } from './moonshine.ts';

let moonshine: Asr;
beforeAll(async () => {
  moonshine = await createMoonshine();
});

const signal = new AbortController().signal;
const heard = async (samples: Float32Array) => (await moonshine.transcribe({ samples, language: 'en', signal })).text;

describe('Moonshine', () => {
  test('hears nothing in silence, in noise and in no audio at all', async () => {
    const random = seeded(3);
    expect(await heard(silence(2_000))).toBe('');
    expect(await heard(silence(2_000).map(() => 0.2 * (random() - 0.5)))).toBe('');
    expect(await heard(new Float32Array(0))).toBe('');
  });

  test('is never asked about Chinese', async () => {
    expect(moonshine.languages).toEqual(['en']);
    await expect(moonshine.transcribe({ samples: silence(500), language: 'zh', signal })).rejects.toMatchObject({
      code: 'language_unsupported',
    });
  });

  test('stops when it is told to', async () => {
    await expect(moonshine.transcribe({ samples: silence(500), language: 'en', signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });

  test('cannot be made of a damaged file', async () => {
    const encoder = join(tmpdir(), `damaged-${process.pid}.onnx`);
    writeFileSync(encoder, 'no model');
    await expect(createMoonshine({ ...moonshineFiles(), encoder })).rejects.toThrow();
  });
});

describeWith(voicesAvailable, 'voices (apt-get install flite espeak-ng)')('Moonshine and a voice', () => {
  const sentence = 'What is photosynthesis, and why do plants need light to make sugar?';

  test('understands a sentence, loud or quiet', async () => {
    const speech = joined(silence(100), say(sentence, 'rms'), silence(100));
    for (const peak of [0.03, 0.9])
      expect((await heard(atPeak(speech, peak))).toLowerCase()).toContain('why do plants need light to make sugar');
  });

  test('does not loop, however a sentence is cut', async () => {
    const speech = say(sentence, 'slt');
    for (let ms = 300; ms < 4_000; ms += 370) {
      const words = (await heard(speech.subarray(0, ms * 16))).split(' ');
      expect(words.length).toBeLessThanOrEqual(4 + (ms / 1_000) * 6.5);
      for (let at = 0; at + 6 <= words.length; at += 1) expect(new Set(words.slice(at, at + 6)).size).toBeGreaterThan(1);
    }
  });
});
