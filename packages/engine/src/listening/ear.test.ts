import { describe, expect, test } from 'vitest';
import { VirtualEar } from '../../../../test/support/virtual-ear.ts';
import { joined, silence } from '../../../../test/support/voices.ts';
import { listeningRate, SpeechUnavailable, type Vad } from '../media/ports.ts';
import type { Recogniser, RecognitionRequest } from './recogniser.ts';

/** Whatever is loud is voice. */
const loudness: Vad = {
  frameSamples: 512,
  async probability(frame) {
    return frame.reduce((sum, sample) => sum + Math.abs(sample), 0) / frame.length > 0.005 ? 0.95 : 0.02;
  },
  reset() {},
};

const tone = (ms: number) => silence(ms).map((_, index) => 0.3 * Math.sin(index / 5));

interface Asked {
  readonly kind: RecognitionRequest['kind'];
  readonly ms: number;
}

/** Answers with what `said` makes of the ms of audio. */
function scripted(said: (ms: number) => string, languages: readonly string[] = ['en']) {
  const asked: Asked[] = [];
  const recogniser: Pick<Recogniser, 'transcribe' | 'supports'> = {
    supports: (language) => languages.includes(language),
    async transcribe({ kind, samples, language }) {
      const ms = Math.round((samples.length / listeningRate) * 1_000);
      asked.push({ kind, ms });
      return { text: said(ms), language, engine: 'script', model: 'script-1' };
    },
  };
  return { asked, recogniser };
}

function listening(said: string | ((ms: number) => string), { languages = ['en'], asrMs = 60 } = {}) {
  const { asked, recogniser } = scripted(typeof said === 'string' ? () => said : said, languages);
  return { asked, virtual: new VirtualEar({ vad: loudness, recogniser, asrMs }) };
}

describe('in the tutor’s silence', () => {
  test('what was said comes once, with when its voice ended and how long it took from there', async () => {
    const { virtual } = listening('What is light?');
    await virtual.hear(joined(silence(500), tone(1_000), silence(2_000)));
    const [utterance, ...more] = virtual.of('utterance');
    expect(more).toEqual([]);
    expect(utterance).toMatchObject({
      text: 'What is light?',
      language: 'en',
      engine: 'script',
      model: 'script-1',
      utteranceId: 'utterance-1',
    });
    expect(Math.abs((utterance?.endedAtMs ?? 0) - 1_001_500)).toBeLessThan(60);
    // A whole question: half a second of silence, and nothing for a transcript that was ready by then.
    expect(utterance?.asrMs).toBeGreaterThanOrEqual(490);
    expect(utterance?.asrMs).toBeLessThan(580);
  });

  test('the transcript made at the pause is the last one: nothing is recognised twice', async () => {
    const { virtual, asked } = listening('What is light?');
    await virtual.hear(joined(silence(500), tone(1_000), silence(2_000)));
    expect(asked.filter(({ kind }) => kind === 'final')).toHaveLength(1);
  });

  test('a voice that comes back after a pause is heard to its end', async () => {
    const { virtual, asked } = listening((ms) => (ms < 1_600 ? 'I want to know' : 'I want to know why.'));
    await virtual.hear(joined(silence(500), tone(1_000), silence(400), tone(600), silence(2_000)));
    expect(virtual.of('utterance')).toMatchObject([{ text: 'I want to know why.' }]);
    expect(asked.at(-1)?.ms).toBeGreaterThan(2_000);
  });

  test('partial transcripts come while it is being said', async () => {
    const { virtual } = listening((ms) => `so far ${ms}`);
    await virtual.hear(joined(silence(500), tone(2_500), silence(2_000)));
    expect(virtual.of('partial').filter(({ atMs }) => atMs < 1_003_000).length).toBeGreaterThanOrEqual(3);
  });

  test('utterances come in the order they were said, though the first takes longer to understand', async () => {
    const { virtual } = listening((ms) => (ms > 1_500 ? 'A long story.' : 'Short.'), { asrMs: 900 });
    await virtual.hear(joined(silence(500), tone(2_000), silence(800), tone(500), silence(3_500)));
    expect(virtual.of('utterance').map(({ text }) => text)).toEqual(['A long story.', 'Short.']);
  });

  test('a sound without words is not understood; a short one is not mentioned', async () => {
    const { virtual } = listening('');
    await virtual.hear(joined(silence(500), tone(200), silence(2_000)));
    expect(virtual.of('notUnderstood')).toEqual([]);
    await virtual.hear(joined(tone(800), silence(2_000)));
    expect(virtual.of('notUnderstood')).toMatchObject([{ reason: 'no_words' }]);
    expect(virtual.of('utterance')).toEqual([]);
  });

  test('a language that cannot be understood here is never given to the recogniser', async () => {
    const { recogniser, asked } = scripted(() => 'gibberish', ['en']);
    const virtual = new VirtualEar({ vad: loudness, recogniser, language: 'zh' });
    await virtual.hear(joined(silence(500), tone(1_000), silence(2_000)));
    expect(asked).toEqual([]);
    expect(virtual.of('notUnderstood')).toMatchObject([{ reason: 'language_unsupported' }]);
  });

  test('a recogniser that fails is named as unavailable', async () => {
    const recogniser: Pick<Recogniser, 'transcribe' | 'supports'> = {
      supports: () => true,
      transcribe: () => Promise.reject(new SpeechUnavailable('crashed', 'it crashed')),
    };
    const virtual = new VirtualEar({ vad: loudness, recogniser });
    await virtual.hear(joined(silence(500), tone(1_000), silence(2_000)));
    expect(virtual.of('notUnderstood')).toMatchObject([{ reason: 'unavailable' }]);
  });

  test('push-to-talk ends the utterance at once', async () => {
    const { virtual } = listening('What is light?');
    await virtual.hear(joined(silence(300), tone(1_000)));
    virtual.ear.commit();
    await virtual.wait(120);
    expect(virtual.of('utterance')).toMatchObject([{ text: 'What is light?' }]);
  });

  test('push-to-talk without a word says so', async () => {
    const { virtual } = listening('');
    await virtual.hear(silence(700));
    virtual.ear.commit();
    await virtual.wait(40);
    expect(virtual.of('notUnderstood')).toMatchObject([{ reason: 'no_words' }]);
  });

  test('a microphone taken away in the middle of a word ends the utterance', async () => {
    const { virtual } = listening('What is light?');
    await virtual.hear(joined(silence(300), tone(1_000)));
    await virtual.wait(4_000);
    expect(virtual.of('utterance')).toMatchObject([{ text: 'What is light?' }]);
  });

  test('a closed ear says nothing more and calls recognition off', async () => {
    const signals: AbortSignal[] = [];
    const recogniser: Pick<Recogniser, 'transcribe' | 'supports'> = {
      supports: () => true,
      async transcribe({ signal, language }) {
        signals.push(signal);
        return { text: 'What is light?', language, engine: 'script', model: 'script-1' };
      },
    };
    const virtual = new VirtualEar({ vad: loudness, recogniser, asrMs: 5_000 });
    await virtual.hear(joined(silence(300), tone(1_000), silence(800)));
    const before = virtual.events.length;
    virtual.ear.close();
    virtual.ear.commit();
    await virtual.hear(tone(1_000));
    expect(virtual.events).toHaveLength(before);
    expect(signals.at(-1)?.aborted).toBe(true);
  });
});

describe('while the tutor speaks', () => {
  const saying = 'Plants make sugar from light, in their leaves.';

  test('speech holds it at once, takes the floor, and is heard from its first word', async () => {
    const { virtual, asked } = listening('But what is sugar made of?');
    virtual.ear.playing(true, saying);
    await virtual.hear(joined(silence(500), tone(1_500), silence(2_000)));
    expect(virtual.of('hold')[0]?.atMs).toBeLessThanOrEqual(1_000_500 + 120);
    expect(virtual.of('takeFloor')).toHaveLength(1);
    expect(virtual.of('release')).toEqual([]);
    expect(virtual.of('utterance')).toMatchObject([{ text: 'But what is sugar made of?' }]);
    expect(asked.at(-1)?.ms).toBeGreaterThanOrEqual(1_700);
  });

  test('"yeah" holds it for less than a second and is no message', async () => {
    const { virtual } = listening('Yeah.');
    virtual.ear.playing(true, saying);
    await virtual.hear(joined(silence(500), tone(350), silence(2_000)));
    const [hold] = virtual.of('hold');
    const [release] = virtual.of('release');
    expect((release?.atMs ?? 0) - (hold?.atMs ?? 0)).toBeLessThan(1_000);
    expect(virtual.of('takeFloor')).toEqual([]);
    expect(virtual.of('utterance')).toEqual([]);
    expect(virtual.of('notUnderstood')).toEqual([]);
  });

  test('"yes" right after it has finished is an answer', async () => {
    const { virtual } = listening('Yes.');
    virtual.ear.playing(true, saying);
    await virtual.hear(silence(1_000));
    virtual.ear.playing(false);
    await virtual.hear(joined(silence(200), tone(350), silence(2_000)));
    expect(virtual.of('utterance')).toMatchObject([{ text: 'Yes.' }]);
  });

  test('its own voice from the loudspeaker stops it once at most, and is no message', async () => {
    const { virtual } = listening('make sugar from light');
    virtual.ear.playing(true, saying);
    await virtual.hear(joined(silence(300), tone(1_500), silence(400), tone(1_500), silence(400), tone(1_500)));
    virtual.ear.playing(false);
    await virtual.hear(joined(tone(400), silence(2_000)));
    expect(virtual.of('hold')).toHaveLength(1);
    expect(virtual.of('takeFloor')).toEqual([]);
    expect(virtual.of('utterance')).toEqual([]);
  });

  test('its words repeated by the student after it are a message', async () => {
    const { virtual } = listening('make sugar from light');
    virtual.ear.playing(true, saying);
    await virtual.hear(silence(1_000));
    virtual.ear.playing(false);
    await virtual.hear(joined(silence(700), tone(1_200), silence(2_000)));
    expect(virtual.of('utterance')).toMatchObject([{ text: 'make sugar from light' }]);
  });

  test('a voice behind the student, much quieter than the student, does not stop it', async () => {
    const { virtual } = listening('What is sugar made of?');
    await virtual.hear(joined(silence(300), tone(1_000), silence(1_500)));
    virtual.ear.playing(true, saying);
    // 17 dB less, but loud enough for anybody who is not known yet.
    const behind = joined(
      silence(300),
      tone(1_500).map((sample) => sample * 0.14),
      silence(1_500),
    );
    await virtual.hear(behind);
    expect(virtual.of('hold')).toEqual([]);
    await virtual.hear(joined(silence(300), tone(1_500), silence(1_500)));
    expect(virtual.of('hold')).toHaveLength(1);
    const unknown = listening('What is sugar made of?').virtual;
    unknown.ear.playing(true, saying);
    await unknown.hear(behind);
    expect(unknown.of('hold')).toHaveLength(1);
  });

  test('a microphone taken away while it is held lets it go on', async () => {
    const { virtual } = listening('');
    virtual.ear.playing(true, saying);
    await virtual.hear(joined(silence(300), tone(200)));
    expect(virtual.of('hold')).toHaveLength(1);
    await virtual.wait(4_000);
    expect(virtual.of('release')).toHaveLength(1);
  });

  test('a voice in a language nobody here understands stops it by its length alone, and is told to type', async () => {
    const { recogniser } = scripted(() => '', ['en']);
    const virtual = new VirtualEar({ vad: loudness, recogniser, language: 'zh' });
    virtual.ear.playing(true, '植物用阳光制造糖。');
    await virtual.hear(joined(silence(300), tone(300), silence(1_500)));
    expect([virtual.of('hold').length, virtual.of('release').length, virtual.of('notUnderstood').length]).toEqual([1, 1, 0]);
    await virtual.hear(joined(tone(1_200), silence(1_500)));
    expect(virtual.of('takeFloor')).toHaveLength(1);
    expect(virtual.of('notUnderstood')).toMatchObject([{ reason: 'language_unsupported' }]);
  });

  test('words understood only after it went on still reach it', async () => {
    const { virtual } = listening('Wait a moment, please.', { asrMs: 2_500 });
    virtual.ear.playing(true, saying);
    await virtual.hear(joined(silence(300), tone(640), silence(4_000)));
    expect(virtual.of('takeFloor')).toHaveLength(1);
    expect(virtual.of('utterance')).toMatchObject([{ text: 'Wait a moment, please.' }]);
  });

  test('what was said before a slow recogniser could tell belongs to what took the floor', async () => {
    const { virtual } = listening((ms) => (ms < 1_000 ? 'But why?' : 'I do not understand.'), { asrMs: 2_500 });
    virtual.ear.playing(true, saying);
    await virtual.hear(joined(silence(320), tone(480), silence(740), tone(1_200), silence(5_000)));
    expect(virtual.of('takeFloor')).toHaveLength(1);
    expect(virtual.of('utterance').map(({ text }) => text)).toEqual(['But why?', 'I do not understand.']);
  });
});
