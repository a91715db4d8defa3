import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRecogniser, ProcessRecogniser, type RecognitionRequest } from './recogniser.ts';

const config = { enabled: true, modelsFolder: null, model: 'base', device: 'cpu', language: null } as const;

function request(first: number, changes: Partial<RecognitionRequest> = {}): RecognitionRequest {
  const samples = new Float32Array(100);
  samples[0] = first;
  return { owner: 'a', kind: 'final', samples, language: 'en', signal: new AbortController().signal, ...changes };
}

describe('the recogniser in its process', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'recogniser-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const open = (limits = {}) =>
    new ProcessRecogniser({
      config: { ...config, modelsFolder: folder },
      program: new URL('../../../../test/support/troubled-recognition.ts', import.meta.url),
      limits: { timeoutMs: 5_000, crashes: 4, pauseMs: 50, ...limits },
    });

  test('answers', async () => {
    await using recogniser = open();
    await expect(recogniser.transcribe(request(0))).resolves.toMatchObject({ text: '100', language: 'en' });
  });

  test('is replaced when it dies, and nobody notices', async () => {
    await using recogniser = open();
    const before = await recogniser.transcribe(request(0));
    const [died, next] = await Promise.all([recogniser.transcribe(request(2)), recogniser.transcribe(request(0, { owner: 'b' }))]);
    expect([died.text, next.text]).toEqual(['100', '100']);
    expect(died.model).not.toBe(before.model);
  });

  test('gives an utterance up on which it dies twice, and goes on with the next', async () => {
    await using recogniser = open();
    const fatal = recogniser.transcribe(request(1));
    const next = recogniser.transcribe(request(0, { owner: 'b' }));
    await expect(fatal).rejects.toMatchObject({ name: 'SpeechUnavailable', code: 'crashed' });
    await expect(next).resolves.toMatchObject({ text: '100' });
  });

  test('is replaced when it hangs', async () => {
    await using recogniser = open({ timeoutMs: 400 });
    const hung = recogniser.transcribe(request(3));
    const next = recogniser.transcribe(request(0, { owner: 'b' }));
    await expect(hung).rejects.toMatchObject({ code: 'crashed' });
    await expect(next).resolves.toMatchObject({ text: '100' });
  });

  test('that dies again and again pauses, says so, and comes back', async () => {
    writeFileSync(join(folder, 'broken'), '');
    await using recogniser = open({ crashes: 2, pauseMs: 300 });
    await expect(recogniser.transcribe(request(0))).rejects.toMatchObject({ code: 'crashed' });
    expect(recogniser.health()).toMatchObject([{ status: 'down' }, { status: 'down' }]);
    rmSync(join(folder, 'broken'));
    await expect.poll(() => recogniser.transcribe(request(0)).then(({ text }) => text, String), { timeout: 5_000 }).toBe('100');
    expect(recogniser.health()).toMatchObject([{ status: 'ok' }]);
  });

  test('drops a partial for the final of the same owner', async () => {
    await using recogniser = open();
    const running = recogniser.transcribe(request(0));
    const partial = recogniser.transcribe(request(0, { kind: 'partial' }));
    const final = recogniser.transcribe(request(0));
    await expect(partial).rejects.toMatchObject({ name: 'AbortError' });
    await expect(Promise.all([running, final])).resolves.toHaveLength(2);
  });

  test('forgets what was aborted, running or waiting', async () => {
    await using recogniser = open();
    const abort = new AbortController();
    const { signal } = abort;
    const running = recogniser.transcribe(request(3, { signal }));
    const waiting = recogniser.transcribe(request(0, { owner: 'b', signal }));
    abort.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await expect(recogniser.transcribe(request(0, { signal }))).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('fails what waits when it is closed', async () => {
    const recogniser = open();
    const answers = Promise.allSettled([recogniser.transcribe(request(3)), recogniser.transcribe(request(0, { owner: 'b' }))]);
    await recogniser[Symbol.asyncDispose]();
    expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(recogniser.transcribe(request(0))).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('without a models folder', () => {
  test('English is understood and Chinese is not, with advice', async () => {
    await using recogniser = createRecogniser(config);
    expect([recogniser.supports('en'), recogniser.supports('zh')]).toEqual([true, false]);
    await expect(recogniser.transcribe(request(0, { language: 'zh' }))).rejects.toMatchObject({ code: 'language_unsupported' });
    await expect(recogniser.transcribe(request(0, { samples: new Float32Array(16_000) }))).resolves.toEqual({
      text: '',
      language: 'en',
      engine: 'moonshine',
      model: 'moonshine-tiny-en',
    });
    const [en, zh] = recogniser.health();
    expect(en).toMatchObject({ status: 'ok', reason: null });
    expect(zh).toMatchObject({ status: 'down', reason: expect.stringContaining('whisper-base') });
  });
});

test('switched off, it supports nothing, reports nothing and starts nothing', async () => {
  await using recogniser = createRecogniser({ ...config, enabled: false });
  expect(recogniser.supports('en')).toBe(false);
  expect(recogniser.health()).toEqual([]);
  await expect(recogniser.transcribe(request(0))).rejects.toMatchObject({ code: 'language_unsupported' });
});
