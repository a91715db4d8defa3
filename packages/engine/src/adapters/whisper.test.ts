import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeTinyWhisper } from '../../../../test/support/tiny-whisper.ts';
import { say, sayRobotically, voicesAvailable } from '../../../../test/support/voices.ts';
import { createRecogniser, type Recogniser } from '../listening/recogniser.ts';
import type { Asr } from '../media/ports.ts';
import { createWhisper } from './whisper.ts';
import { findWhisper } from './whisper-files.ts';

const config = { enabled: true, model: 'base', device: 'cpu', language: null } as const;
/** For whoever has one: a folder with `whisper-base` in it. It is tried with real voices. */
const realFolder = process.env['WHISPER_MODELS'];

const speech = () => (voicesAvailable ? say('Why is the sky blue?', 'rms') : new Float32Array(32_000));
const chineseSpeech = () => (voicesAvailable ? sayRobotically('为什么天是蓝的', { voice: 'cmn' }) : new Float32Array(32_000));

/** What any Whisper does; `open` gives its models folder. */
function behavesAsWhisper(open: () => string): void {
  let whisper: Asr;
  beforeAll(async () => {
    whisper = await createWhisper({ ...config, modelsFolder: open() });
  });
  const signal = new AbortController().signal;

  test('English is written in English', async () => {
    const { text, ...rest } = await whisper.transcribe({ samples: speech(), language: 'en', signal });
    expect(text).toMatch(/sky/i);
    expect(rest).toEqual({ language: 'en', engine: 'whisper', model: 'whisper-base' });
  });

  test('Chinese is written in Chinese', async () => {
    const { text } = await whisper.transcribe({ samples: chineseSpeech(), language: 'zh', signal });
    expect(text).toMatch(/\p{Script=Han}{3}/u);
  });

  test('an aborted recognition ends', async () => {
    const abort = new AbortController();
    const answer = whisper.transcribe({ samples: speech(), language: 'en', signal: abort.signal });
    abort.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    await expect(whisper.transcribe({ samples: speech(), language: 'en', signal: abort.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
}

describe('Whisper in a folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'whisper-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  describe('with every file, and next to no weights', () =>
    behavesAsWhisper(() => {
      writeTinyWhisper(join(folder, 'whole', 'whisper-base'));
      return join(folder, 'whole');
    }));

  test('says which files are missing, and where they belong', async () => {
    const modelsFolder = join(folder, 'missing');
    const missing = ['config.json', 'tokenizer.json', 'onnx/encoder_model_quantized.onnx', 'onnx/decoder_model_merged_quantized.onnx'];
    const found = findWhisper({ ...config, modelsFolder });
    expect(found).toMatchObject({ found: false, missing: expect.arrayContaining(missing.map((file) => `whisper-base/${file}`)) });
    await expect(createWhisper({ ...config, modelsFolder })).rejects.toMatchObject({ code: 'not_installed' });
  });

  test('names the one file that is missing', () => {
    const modelsFolder = join(folder, 'almost');
    writeTinyWhisper(join(modelsFolder, 'whisper-base'));
    rmSync(join(modelsFolder, 'whisper-base', 'tokenizer.json'));
    expect(findWhisper({ ...config, modelsFolder })).toEqual({ found: false, begun: true, missing: ['whisper-base/tokenizer.json'] });
  });

  describe('behind the recogniser', () => {
    const open = (name: string, damage: (model: string) => void): Recogniser => {
      const modelsFolder = join(folder, name);
      writeTinyWhisper(join(modelsFolder, 'whisper-base'));
      damage(join(modelsFolder, 'whisper-base'));
      return createRecogniser({ ...config, modelsFolder });
    };
    const ask = (recogniser: Recogniser, language: 'en' | 'zh', kind: 'partial' | 'final') =>
      recogniser.transcribe({ owner: 'a', kind, samples: new Float32Array(16_000), language, signal: new AbortController().signal });

    test('it has the last word in both languages, and Moonshine the first in English', async () => {
      await using recogniser = open('behind', () => {});
      expect(recogniser.supports('zh')).toBe(true);
      await expect(ask(recogniser, 'zh', 'final')).resolves.toMatchObject({ engine: 'whisper', text: '为什么天是蓝的？' });
      await expect(ask(recogniser, 'en', 'final')).resolves.toMatchObject({ engine: 'whisper' });
      await expect(ask(recogniser, 'en', 'partial')).resolves.toMatchObject({ engine: 'moonshine' });
      expect(recogniser.health()).toMatchObject([
        { status: 'ok', runsOn: 'whisper-base (cpu)' },
        { status: 'ok', runsOn: 'whisper-base (cpu)' },
      ]);
    });

    test('damaged, it is reported, Moonshine takes over English, and Chinese is not supported', async () => {
      await using recogniser = open('damaged', (model) =>
        writeFileSync(join(model, 'onnx', 'decoder_model_merged_quantized.onnx'), 'no model'),
      );
      await expect(ask(recogniser, 'en', 'final')).resolves.toMatchObject({ engine: 'moonshine' });
      expect(recogniser.supports('zh')).toBe(false);
      expect(recogniser.health()).toMatchObject([
        { status: 'degraded', runsOn: expect.stringContaining('moonshine') },
        { status: 'down', reason: expect.stringContaining('does not load') },
      ]);
    });

    test('missing, it is reported with what to put where', async () => {
      await using recogniser = open('absent', (model) => rmSync(model, { recursive: true }));
      expect(recogniser.supports('zh')).toBe(false);
      const [english, chinese] = recogniser.health();
      expect(english).toMatchObject({ status: 'ok', reason: null });
      expect(chinese).toMatchObject({ status: 'down', reason: expect.stringContaining('whisper-base/onnx/encoder_model_quantized.onnx') });
    });

    test('half installed, it is missed in English too', async () => {
      await using recogniser = open('half', (model) => rmSync(join(model, 'onnx'), { recursive: true }));
      expect(recogniser.health()).toMatchObject([{ status: 'degraded' }, { status: 'down' }]);
    });
  });
});

if (realFolder !== undefined) describe('a real Whisper', () => behavesAsWhisper(() => realFolder));
