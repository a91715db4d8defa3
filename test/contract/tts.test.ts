import { afterAll, describe, expect, test } from 'vitest';
import { createEdge } from '../../packages/engine/src/adapters/edge.ts';
import { createEspeak } from '../../packages/engine/src/adapters/espeak.ts';
import { createFlite } from '../../packages/engine/src/adapters/flite.ts';
import { type Speech, SpeechUnavailable, type Tts } from '../../packages/engine/src/media/ports.ts';
import { wordsIn } from '../../packages/engine/src/speech/word-times.ts';
import { type EdgeFault, startEdgeTtsServer } from '../support/edge-tts-server.ts';
import { scriptedBy } from '../support/edge-voice.ts';
import { durationMs, loudnessDb, peak, shapeLevelDb, soundMs } from '../support/speech-facts.ts';

const english = [
  'Photosynthesis turns light into sugar, and the leaf keeps most of it.',
  'Papa bought a pipe, but Bobby kept the paper cup; it popped.',
  'x squared plus one half equals four point five.',
  'No.',
  "It's what St. John's café didn’t sell: well-known rock 'n' roll, U S A, isn't it?",
];
const chinese = ['光合作用把光变成糖，叶子留下大部分。', '爸爸跑步，妈妈包包子。', '我们用 Python 学习 AI，对不对？', '好。'];

const server = await startEdgeTtsServer(await scriptedBy());
afterAll(() => server[Symbol.asyncDispose]());

/** With EDGE_TTS=real the same suite asks the service itself. */
const edge = process.env['EDGE_TTS'] === 'real' ? createEdge() : createEdge({ agent: server.agent, timeoutMs: 2_000 });

const edgeVoices = { en: 'en-US-AriaNeural', zh: 'zh-CN-XiaoxiaoNeural' } as const;

interface Subject {
  readonly name: string;
  readonly tts: Tts;
  readonly language: 'en' | 'zh';
  readonly voice: string | null;
  readonly texts: readonly string[];
}

const [flite, espeak] = await Promise.all([createFlite(), createEspeak()]);
const subjects: readonly Subject[] = [
  { name: 'flite', tts: flite, language: 'en', voice: null, texts: english },
  { name: 'flite’s rms', tts: flite, language: 'en', voice: 'rms', texts: english },
  { name: 'flite’s kal', tts: flite, language: 'en', voice: 'kal', texts: english },
  { name: 'flite’s awb', tts: flite, language: 'en', voice: 'awb', texts: english },
  { name: 'espeak-ng in English', tts: espeak, language: 'en', voice: null, texts: english },
  { name: 'espeak-ng in Chinese', tts: espeak, language: 'zh', voice: null, texts: chinese },
  { name: 'Edge in English', tts: edge, language: 'en', voice: edgeVoices.en, texts: english },
  { name: 'Edge in Chinese', tts: edge, language: 'zh', voice: edgeVoices.zh, texts: chinese },
];

const live = new AbortController().signal;
const said = new Map<string, Promise<Speech>>();

/** Once for all tests that look at it. */
function say({ name, tts, language, voice }: Subject, text: string): Promise<Speech> {
  const key = `${name}: ${text}`;
  const saying = said.get(key) ?? tts.synthesize({ text, language, voice, signal: live });
  said.set(key, saying);
  return saying;
}

describe.for(subjects)('$name', (subject) => {
  test.for(subject.texts)('every word of %j has its time, in order and within the sound', async (text) => {
    const speech = await say(subject, text);
    expect(speech.words.map(({ from, to }) => ({ from, to }))).toEqual(wordsIn(text));
    let before = 0;
    for (const { startMs, endMs } of speech.words) {
      expect(startMs).toBeGreaterThanOrEqual(before);
      expect(endMs).toBeGreaterThan(startMs);
      before = endMs;
    }
    expect(before).toBeLessThanOrEqual(durationMs(speech));
  });

  test.for(subject.texts)('the mouth to %j covers the sound without gaps', async (text) => {
    const speech = await say(subject, text);
    let before = 0;
    for (const { startMs, endMs } of speech.visemes) {
      expect(startMs).toBeCloseTo(before, 3);
      expect(endMs).toBeGreaterThan(startMs);
      before = endMs;
    }
    expect(before).toBeCloseTo(durationMs(speech), 0);
    expect(speech.visemes.some(({ viseme }) => viseme !== 'sil')).toBe(true);
  });

  test.for(subject.texts)('%j is levelled, starts at once and ends with a breath', async (text) => {
    const speech = await say(subject, text);
    expect(loudnessDb(speech)).toBeGreaterThan(-23);
    expect(loudnessDb(speech)).toBeLessThan(-17.5);
    expect(peak(speech)).toBeLessThan(1);
    const { from, to } = soundMs(speech);
    // A voice that begins with closed lips is silent until they open.
    expect(from).toBeLessThan(150);
    expect(durationMs(speech) - to).toBeGreaterThan(150);
    expect(durationMs(speech) - to).toBeLessThan(400);
  });

  test('the mouth is open when it is loud, and closed in the pauses', async () => {
    const speech = await say(subject, subject.texts[0] ?? '');
    const open = shapeLevelDb(speech, ['aa', 'E', 'O']);
    const shut = shapeLevelDb(speech, ['sil']);
    expect(open - shut).toBeGreaterThan(20);
  });

  test('an empty text has no sound', async () => {
    expect(await say(subject, ' … ')).toMatchObject({ words: [], visemes: [] });
    expect((await say(subject, '')).samples.length).toBe(0);
  });

  test('a sentence that is cancelled before it begins is never made', async () => {
    const { tts, language, voice } = subject;
    await expect(tts.synthesize({ text: 'Hello.', language, voice, signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });
});

describe('timelines of engines that tell phones', () => {
  test.for([
    [flite, 'en', 'Papa bought a pipe, but Bobby kept the paper cup; it popped.'],
    [espeak, 'en', 'Papa bought a pipe, but Bobby kept the paper cup; it popped.'],
    [espeak, 'zh', '爸爸跑步，妈妈包包子，拍皮球。'],
  ] as const)('closed lips are quieter than vowels', async ([tts, language, text]) => {
    const speech = await tts.synthesize({ text, language, voice: null, signal: live });
    expect(shapeLevelDb(speech, ['aa', 'E', 'O']) - shapeLevelDb(speech, ['PP'])).toBeGreaterThan(6);
    const closures = speech.visemes.filter(({ viseme }) => viseme === 'PP').length;
    expect(closures).toBeGreaterThanOrEqual(6);
  });

  test('hissing is where the timeline says, to a few milliseconds', async () => {
    const speech = await flite.synthesize({
      text: 'A sea, a sow, a soup.',
      language: 'en',
      voice: null,
      signal: live,
    });
    const [first] = speech.visemes.filter(({ viseme }) => viseme === 'SS');
    expect(first).toBeDefined();
    const middle = ((first?.startMs ?? 0) + (first?.endMs ?? 0)) / 2;
    const hiss = (ms: number) => crossings(speech, ms - 15, ms + 15);
    // An "s" crosses zero several times as often as the vowels on both sides.
    expect(hiss(middle)).toBeGreaterThan(2 * hiss((first?.startMs ?? 0) - 40));
    expect(hiss(middle)).toBeGreaterThan(2 * hiss((first?.endMs ?? 0) + 60));
  });
});

function crossings({ samples }: Speech, startMs: number, endMs: number): number {
  const part = samples.subarray(startMs * 48, endMs * 48);
  return part.reduce((count, sample, index) => count + (sample >= 0 !== (part[index - 1] ?? 0) >= 0 ? 1 : 0), 0);
}

const standIn = process.env['EDGE_TTS'] !== 'real';

describe.runIf(standIn)('Edge’s word times', () => {
  const texts = [
    ['en', 'Salt and pepper are fine, aren’t they?'],
    ['en', 'Photosynthesis turns light into sugar, and the leaf keeps most of it.'],
    ['zh', '光合作用把光变成糖，叶子留下大部分。'],
  ] as const;

  test.for(texts)('are those that it reported: %s %j', async ([language, text]) => {
    server.fault = 'none';
    const truth = await (language === 'en' ? flite : espeak).synthesize({
      text,
      language,
      voice: null,
      signal: live,
    });
    const speech = await edge.synthesize({
      text,
      language,
      voice: edgeVoices[language],
      signal: live,
    });
    for (const [index, word] of speech.words.entries()) {
      // LAME and its decoder delay the sound by 46 ms; words of one boundary share it by their length.
      expect(Math.abs(word.startMs - (truth.words[index]?.startMs ?? 0)), `word ${index}`).toBeLessThan(120);
    }
  });

  test.for(texts)('are spread over the voice when it reports none: %s %j', async ([language, text]) => {
    server.fault = 'no boundaries';
    const truth = await (language === 'en' ? flite : espeak).synthesize({
      text,
      language,
      voice: null,
      signal: live,
    });
    const speech = await edge.synthesize({
      text,
      language,
      voice: edgeVoices[language],
      signal: live,
    });
    expect(speech.words.length).toBe(truth.words.length);
    for (const [index, word] of speech.words.entries()) {
      expect(Math.abs(word.startMs - (truth.words[index]?.startMs ?? 0)), `word ${index}`).toBeLessThan(350);
    }
    server.fault = 'none';
  });
});

describe.runIf(standIn)('Edge in trouble', () => {
  test.for([
    ['forbidden', 'unreachable', /clock/],
    ['truncated', 'unreachable', /hung up/],
    ['stall', 'unreachable', /silent/],
    ['no audio', 'bad_answer', /no sound/],
    ['not MP3', 'bad_answer', /no (MP3|sound)/],
  ] as const)('%s: %s', async ([fault, code, reason]: readonly [EdgeFault, string, RegExp]) => {
    server.fault = fault;
    const failing = createEdge({ agent: server.agent, timeoutMs: fault === 'stall' ? 300 : 10_000 }).synthesize({
      text: 'The canary-words-of-a-student are private.',
      language: 'en',
      voice: edgeVoices.en,
      signal: live,
    });
    const error: unknown = await failing.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(SpeechUnavailable);
    expect(error).toMatchObject({ code });
    expect(String(error)).toMatch(reason);
    expect(String(error)).not.toContain('canary');
    server.fault = 'none';
  });

  test('a machine without a network is told so', async () => {
    await using gone = await startEdgeTtsServer(await scriptedBy());
    await gone[Symbol.asyncDispose]();
    const silent = createEdge({ agent: gone.agent, timeoutMs: 1_000 });
    await expect(silent.synthesize({ text: 'Hello.', language: 'en', voice: edgeVoices.en, signal: live })).rejects.toThrow(
      SpeechUnavailable,
    );
  });

  test('a cancelled sentence hangs up', async () => {
    server.fault = 'stall';
    const abort = new AbortController();
    const asked = server.questions.length;
    const saying = edge.synthesize({ text: 'Hello there.', language: 'en', voice: edgeVoices.en, signal: abort.signal });
    saying.catch(() => {});
    await expect.poll(() => server.questions.length).toBe(asked + 1);
    abort.abort();
    await expect(saying).rejects.toThrow(/cancelled/);
    await expect.poll(() => server.connections).toBe(0);
    server.fault = 'none';
  });

  test('what looks like SSML is said, not obeyed', async () => {
    await edge.synthesize({ text: '<break/> & more', language: 'en', voice: edgeVoices.en, signal: live });
    expect(server.questions.at(-1)).toContain('&lt;break/&gt; &amp; more');
  });
});
