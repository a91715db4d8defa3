import { setEnvironmentData } from 'node:worker_threads';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Speech, SpeechRequest } from '../../packages/engine/src/media/ports.ts';
import { createSpeaker, type Speaker, type SpeakerParts } from '../../packages/engine/src/speech/speaker.ts';
import type { SynthesiserLimits } from '../../packages/engine/src/speech/synthesiser.ts';
import { startEdgeTtsServer } from '../support/edge-tts-server.ts';
import { scriptedBy } from '../support/edge-voice.ts';
import { durationMs } from '../support/speech-facts.ts';

const live = new AbortController().signal;
const real = new URL('../../packages/engine/src/speech/synthesis-thread.ts', import.meta.url);
const faulty = new URL('../support/faulty-synthesis-thread.ts', import.meta.url);
const limits: SynthesiserLimits = { parallel: 1, waiting: 50, timeoutMs: 20_000, failures: 3, pauseMs: 30_000 };

/** How often "crash" and "hang" come true from now on. */
function expectTroubles(count: number): void {
  const troubles = new SharedArrayBuffer(4);
  new Int32Array(troubles)[0] = count;
  setEnvironmentData('troubles', troubles);
}

afterEach(() => {
  setEnvironmentData('troubles', undefined);
  setEnvironmentData('absent', undefined);
  setEnvironmentData('opening', undefined);
});

interface Setting {
  readonly programs?: Partial<SpeakerParts['programs']>;
  readonly limits?: Partial<SynthesiserLimits>;
  readonly now?: () => number;
  readonly edgeVoice?: string;
}

function open({ programs, limits: changed, now = () => performance.now(), edgeVoice }: Setting): Speaker {
  const each = { ...limits, ...changed };
  return createSpeaker(
    { enabled: true, edgeVoice: edgeVoice ?? null },
    {
      programs: { flite: faulty, 'espeak-ng': faulty, edge: faulty, ...programs },
      limits: { flite: each, 'espeak-ng': each, edge: each },
      now,
    },
  );
}

function say(speaker: Speaker, text: string, request: Partial<SpeechRequest> = {}): Promise<Speech> {
  return speaker.say({ text, language: 'en', voice: null, signal: live, ...request });
}

function wordsOf(text: string, { words }: Speech): readonly string[] {
  return words.map(({ from, to }) => text.slice(from, to));
}

function statusOf(speaker: Speaker, name: string) {
  return speaker.health().find((component) => component.name === name);
}

describe('with what is embedded', () => {
  const speaker = createSpeaker({ enabled: true, edgeVoice: null });
  afterAll(() => speaker[Symbol.asyncDispose]());

  test('an English sentence is spoken by flite, its words where they are written', async () => {
    const text = '**Photosynthesis** turns $x^2$ into *sugar* [1], see https://a.example.org 😀.';
    const speech = await say(speaker, text);
    expect(speech.engine).toBe('flite');
    expect(wordsOf(text, speech)).toEqual(['Photosynthesis', 'turns', '$x^2$', 'into', 'sugar', 'see', 'https://a.example.org']);
    expect(speech.words.at(-1)?.endMs).toBeLessThanOrEqual(durationMs(speech));
  });

  test('a Chinese sentence is spoken by espeak-ng, character by character', async () => {
    const text = '**光合**作用用了 3.5 克 AI[1]。';
    const speech = await say(speaker, text, { language: 'zh' });
    expect(speech.engine).toBe('espeak-ng');
    expect(wordsOf(text, speech)).toEqual(['光', '合', '作', '用', '用', '了', '3.5', '克', 'AI']);
  });

  test('Chinese words in an English sentence are spoken in Chinese', async () => {
    const text = 'The word 你好 means hello.';
    const [mixed, without] = await Promise.all([say(speaker, text), say(speaker, 'The word means hello.')]);
    expect(wordsOf(text, mixed)).toEqual(['The', 'word', '你', '好', 'means', 'hello']);
    const [, , ni, hao] = mixed.words;
    expect((hao?.endMs ?? 0) - (ni?.startMs ?? 0)).toBeGreaterThan(300);
    expect(durationMs(mixed) - durationMs(without)).toBeGreaterThan(300);
  });

  test('what cannot be said has no sound, and no fault', async () => {
    for (const text of ['', '😀', '[1]', '---', '![](x.png)']) expect((await say(speaker, text)).samples.length).toBe(0);
  });

  test('every word of any lesson is timed in order, and comes from its own place', async () => {
    const fragment = fc.constantFrom(
      ...[
        'the leaf',
        '**makes**',
        '`sugar_x`',
        '$x^2$',
        '3.5 km',
        '10%',
        'of it,',
        'e.g. light',
        '光合作用',
        '[1]',
        '😀',
        '(or not)',
        'naïve',
        'U.S.',
      ],
      ...['\n- item', 'most of the', 'of a', "it's", 'AI', 'H₂O', '1/2', 'f(x) = 2x', '—', 'https://b.org'],
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fragment, { minLength: 1, maxLength: 8 }),
        fc.constantFrom<'en' | 'zh'>('en', 'zh'),
        async (parts, language) => {
          const text = parts.join(' ');
          const speech = await say(speaker, text, { language });
          let [lastEndMs, lastTo] = [0, 0];
          for (const { from, to, startMs, endMs } of speech.words) {
            expect(startMs).toBeGreaterThanOrEqual(lastEndMs);
            expect(endMs).toBeGreaterThan(startMs);
            expect(from).toBeGreaterThanOrEqual(lastTo);
            expect(to).toBeGreaterThan(from);
            [lastEndMs, lastTo] = [endMs, to];
          }
          expect(lastEndMs).toBeLessThanOrEqual(durationMs(speech));
          expect(lastTo).toBeLessThanOrEqual(text.length);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('health names what speaks each language', () => {
    expect(speaker.health()).toEqual([
      { name: 'speech synthesis (en)', status: 'ok', runsOn: 'flite (cpu, embedded)', reason: null },
      { name: 'speech synthesis (zh)', status: 'ok', runsOn: 'espeak-ng (cpu, embedded)', reason: null },
    ]);
  });
});

describe('in trouble', () => {
  test('a crash costs the sentence at hand nothing but its voice; the next one has it back', async () => {
    expectTroubles(1);
    await using speaker = open({});
    expect((await say(speaker, 'Please crash now.')).engine).toBe('faulty espeak-ng');
    expect((await say(speaker, 'And on.')).engine).toBe('faulty flite');
  });

  test('sentences that waited behind a crash are spoken', async () => {
    expectTroubles(1);
    await using speaker = open({});
    const all = await Promise.all(['Please crash.', 'One.', 'Two.'].map((text) => say(speaker, text)));
    expect(all.map(({ engine }) => engine)).toEqual(['faulty espeak-ng', 'faulty flite', 'faulty flite']);
  });

  test('the only engine of a language gets a second try after a crash', async () => {
    expectTroubles(1);
    await using speaker = open({});
    expect((await say(speaker, '请 crash 一次。', { language: 'zh' })).engine).toBe('faulty espeak-ng');
  });

  test('a second crash on the same sentence is the end of it', async () => {
    expectTroubles(2);
    await using speaker = open({});
    await expect(say(speaker, '请 crash 两次。', { language: 'zh' })).rejects.toMatchObject({ name: 'SpeechUnavailable', code: 'crashed' });
    expect((await say(speaker, '好。', { language: 'zh' })).words.length).toBe(1);
  });

  test('a thread that hangs is replaced', async () => {
    expectTroubles(1);
    await using speaker = open({ limits: { timeoutMs: 2_000 } });
    expect((await say(speaker, 'Now hang around.')).engine).toBe('faulty espeak-ng');
    expect((await say(speaker, 'And on.')).engine).toBe('faulty flite');
  });

  test.for(['crash', 'hang'] as const)('an engine that does not open (%s) is given up, and opened again later', async (trouble) => {
    setEnvironmentData('opening', trouble);
    let nowMs = 0;
    await using speaker = open({ now: () => nowMs, limits: { timeoutMs: 2_000, failures: 1 } });
    await expect(say(speaker, 'Hello.')).rejects.toMatchObject({ name: 'SpeechUnavailable' });
    expect(statusOf(speaker, 'speech synthesis (en)')).toMatchObject({ status: 'down', runsOn: 'nothing' });
    setEnvironmentData('opening', undefined);
    nowMs = 30_001;
    expect((await say(speaker, 'Hello again.')).engine).toBe('faulty flite');
    expect(statusOf(speaker, 'speech synthesis (en)')).toMatchObject({ status: 'ok' });
  });

  test('an engine that keeps failing is left in peace for a while, and then tried again', async () => {
    let nowMs = 0;
    await using speaker = open({ programs: { 'espeak-ng': real }, now: () => nowMs });
    for (let round = 0; round < 3; round += 1) expect((await say(speaker, 'Do fail.')).engine).toBe('espeak-ng');
    expect(statusOf(speaker, 'speech synthesis (en)')).toMatchObject({ status: 'degraded', runsOn: 'espeak-ng (cpu, embedded)' });
    expect((await say(speaker, 'This would work.')).engine).toBe('espeak-ng');
    nowMs = 30_001;
    expect((await say(speaker, 'This works.')).engine).toBe('faulty flite');
    expect(statusOf(speaker, 'speech synthesis (en)')).toMatchObject({ status: 'ok', reason: null });
  });

  test('a language whose engines all pause may be spoken again after the pause, before anybody tried', async () => {
    let nowMs = 0;
    setEnvironmentData('absent', 'espeak-ng');
    await using speaker = open({ now: () => nowMs });
    expect(speaker.maySpeak('en')).toBe(true);
    for (let round = 0; round < 3; round += 1) await expect(say(speaker, 'Do fail.')).rejects.toThrow();
    await expect.poll(() => speaker.maySpeak('zh')).toBe(false);
    expect(speaker.maySpeak('en')).toBe(false);
    nowMs = 30_001;
    expect(speaker.maySpeak('en')).toBe(true);
    expect(statusOf(speaker, 'speech synthesis (en)')).toMatchObject({ status: 'down' });
  });

  test('without the optional package Chinese says what to install, and English works', async () => {
    setEnvironmentData('absent', 'espeak-ng');
    await using speaker = open({});
    await expect(say(speaker, '你好。', { language: 'zh' })).rejects.toMatchObject({ code: 'not_installed' });
    expect((await say(speaker, 'Hello.')).engine).toBe('faulty flite');
    expect(statusOf(speaker, 'speech synthesis (zh)')).toMatchObject({
      status: 'down',
      runsOn: 'nothing',
      reason: expect.stringContaining('@echogarden/espeak-ng-emscripten'),
    });
    expect(statusOf(speaker, 'speech synthesis (en)')).toMatchObject({ status: 'ok' });
  });

  test('and a Chinese word in an English sentence then takes no time of its own, but keeps its place', async () => {
    setEnvironmentData('absent', 'espeak-ng');
    await using speaker = open({});
    const text = 'The word 你好 means hello.';
    expect(wordsOf(text, await say(speaker, text))).toEqual(['The', 'word', '你', '好', 'means', 'hello']);
  });

  test('a cancelled sentence ends at once, waiting or at work, and disturbs no other', async () => {
    await using speaker = open({ limits: { parallel: 2 } });
    const [atWork, waiting] = [new AbortController(), new AbortController()];
    const first = say(speaker, 'Please wait.', { signal: atWork.signal });
    const second = say(speaker, 'Please wait too.', { signal: waiting.signal });
    const third = say(speaker, 'Third.');
    waiting.abort();
    await expect(second).rejects.toMatchObject({ name: 'AbortError' });
    expect((await third).words.length).toBe(1);
    atWork.abort();
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
    await expect(say(speaker, 'Never.', { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('more sentences than may wait go to the next engine, and past that are refused', async () => {
    await using speaker = open({ limits: { waiting: 2 } });
    const all = await Promise.allSettled(
      Array.from({ length: 12 }, () => say(speaker, 'Please wait.', { signal: AbortSignal.timeout(500) })),
    );
    const refused = all.filter((result) => result.status === 'rejected' && result.reason.code === 'unreachable');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(12);
  });

  test('closing rejects what is not spoken yet, and what comes after', async () => {
    const speaker = open({});
    const waiting = say(speaker, 'Please wait.');
    const closed = speaker[Symbol.asyncDispose]();
    await expect(waiting).rejects.toMatchObject({ name: 'SpeechUnavailable' });
    await closed;
    await expect(say(speaker, 'Hello.')).rejects.toMatchObject({ name: 'SpeechUnavailable' });
  });

  test('switched off it says so, and has no health to report', async () => {
    await using speaker = createSpeaker({ enabled: false, edgeVoice: null });
    await expect(say(speaker, 'Hello.')).rejects.toMatchObject({ name: 'SpeechUnavailable' });
    expect(speaker.health()).toEqual([]);
  });

  test('no word of a sentence reaches an error', async () => {
    expectTroubles(10);
    await using speaker = open({});
    for (const text of ['fail canary', 'crash canary']) {
      const error: unknown = await say(speaker, text).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(String(error)).toContain('SpeechUnavailable');
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error)) + String(error)).not.toContain('canary');
    }
  });
});

describe('with an Edge voice', async () => {
  const server = await startEdgeTtsServer(await scriptedBy());
  afterAll(() => server[Symbol.asyncDispose]());
  const programs = { edge: new URL('../support/edge-synthesis-thread.ts', import.meta.url), flite: real, 'espeak-ng': real };

  function withEdge(edgeVoice: string): Speaker {
    setEnvironmentData('edgePort', server.port);
    return open({ programs, edgeVoice });
  }

  test.for([
    ['en', 'en-US-AriaNeural', 'Papa kept **both** cups.'],
    ['zh', 'zh-CN-XiaoxiaoNeural', '爸爸跑步，*妈妈*包包子。'],
  ] as const)('%s: the words are Edge’s, the mouth has the phones of an embedded voice', async ([language, voice, text]) => {
    server.fault = 'none';
    await using speaker = withEdge(voice);
    const speech = await say(speaker, text, { language });
    expect(speech.engine).toBe('edge');
    expect(statusOf(speaker, `speech synthesis (${language})`)).toMatchObject({
      status: 'ok',
      runsOn: `Edge TTS (${voice}, over the internet)`,
    });
    // Only phones tell closed lips; and each is within the word that has it.
    const closures = speech.visemes.filter(({ viseme }) => viseme === 'PP');
    expect(closures.length).toBeGreaterThan(3);
    const [first] = speech.words;
    expect(closures.some(({ startMs }) => startMs >= (first?.startMs ?? 0) - 40 && startMs < (first?.endMs ?? 0))).toBe(true);
    let before = 0;
    for (const { startMs, endMs } of speech.visemes) {
      expect(startMs).toBeGreaterThanOrEqual(before - 0.001);
      before = endMs;
    }
    expect(before).toBeLessThanOrEqual(durationMs(speech) + 1);
  });

  test('when Edge refuses, an embedded voice goes on and health says why', async () => {
    server.fault = 'forbidden';
    await using speaker = withEdge('en-US-AriaNeural');
    for (let round = 0; round < 3; round += 1) expect((await say(speaker, 'Hello there.')).engine).toBe('flite');
    expect(statusOf(speaker, 'speech synthesis (en)')).toMatchObject({
      status: 'degraded',
      runsOn: 'flite (cpu, embedded)',
      reason: expect.stringContaining('403'),
    });
    const asked = server.questions.length;
    server.fault = 'none';
    expect((await say(speaker, 'Hello again.')).engine).toBe('flite');
    expect(server.questions.length).toBe(asked);
  });
});
