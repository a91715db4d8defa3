import { TurnId } from '@virtual-tutor/schemas';
import { expect, test } from 'vitest';
import { playoutRate, SpeechUnavailable } from '../media/ports.ts';
import type { Speaker } from '../speech/speaker.ts';
import type { LessonScore, ScoredSentence } from './score.ts';
import { soundBetween } from './voice-track.ts';
import { Voices } from './voices.ts';

const turnId = TurnId.parse('11111111-1111-4111-8111-111111111111');
const spokenMs = 100;

/** Says everything in `spokenMs`, with a voice that is loud from end to end, but for what cannot be said. */
class LoudSpeaker implements Speaker {
  readonly said: string[] = [];

  async say({ text, voice }: Parameters<Speaker['say']>[0]): ReturnType<Speaker['say']> {
    if (text === 'unsayable') throw new SpeechUnavailable('not_installed', 'there is no voice');
    this.said.push(`${text} by ${voice}`);
    return { samples: new Int16Array((spokenMs * playoutRate) / 1_000).fill(9_000), visemes: [], words: [], engine: 'flite' };
  }

  maySpeak(): boolean {
    return true;
  }

  health() {
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function sentences(...heard: readonly Partial<ScoredSentence>[]): LessonScore {
  const all = heard.map((one, index): ScoredSentence => {
    const usual = { turnId, index, language: 'en', medium: 'voice', text: `${index}`, heardText: `${index}`, cut: false } as const;
    return { ...usual, startMs: 0, heardMs: spokenMs, durationMs: spokenMs, ...one };
  });
  return { startedAtMs: 0, durationMs: 2_000, locale: 'en', sentences: all, student: [], modes: [] };
}

const appearance = (fromMs: number, voice: string) => ({ fromMs, voice, character: 'ada', film: null }) as const;

test('each sentence sounds from its first frame to its last, by the voice that the tutor had then', async () => {
  const speaker = new LoudSpeaker();
  const score = sentences({ startMs: 30 }, { startMs: 130 }, { startMs: 500, heardMs: 90, durationMs: 90 });
  const voices = new Voices(score, { speaker, appearances: [appearance(0, 'slt'), appearance(400, 'rms')] });
  let loudMs = 0;
  for (let atMs = 0; atMs < 1_000; atMs += 40) {
    const sound = soundBetween(atMs, atMs + 40, await voices.between(atMs, atMs + 40));
    loudMs += (sound.filter((sample) => sample !== 0).length * 1_000) / playoutRate;
  }
  expect(loudMs).toBeCloseTo(100 + 100 + 90, 0);
  expect(speaker.said).toEqual(['0 by slt', '1 by slt', '2 by rms']);
});

test('says of each how it fits, and what is silent and why', async () => {
  const score = sentences(
    { durationMs: 100.5 },
    { startMs: 200, heardMs: 80, durationMs: 80 },
    { startMs: 300, heardMs: 200, durationMs: 200 },
    { startMs: 600, heardMs: 60, durationMs: null, cut: true },
    { startMs: 700, heardMs: 300, durationMs: null, cut: true },
    { startMs: 1_100, text: null, heardText: null },
    { startMs: 1_300, text: 'unsayable' },
    { startMs: 1_400, medium: 'text', heardMs: 0, durationMs: null },
  );
  const voices = new Voices(score, { speaker: new LoudSpeaker(), appearances: [] });
  await voices.between(0, 2_000);
  const report = voices.report();
  expect(report.sentences.map(({ fit }) => fit)).toEqual(['as_then', 'cut_off', 'padded', 'interrupted', 'padded', null, null, null]);
  expect(report.silent).toEqual([
    { turnId, index: 5, why: 'erased' },
    { turnId, index: 6, why: 'not_installed' },
  ]);
});
