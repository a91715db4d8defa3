import { TurnId } from '@virtual-tutor/schemas';
import { expect, test } from 'vitest';
import type { ScoredSentence } from './score.ts';
import { type PlacedSpeech, soundBetween } from './voice-track.ts';

const turnId = TurnId.parse('11111111-1111-4111-8111-111111111111');

/** From and for how long it was heard, and how long it is now, ms. */
function placed([startMs, heardMs, spokenMs]: readonly [number, number, number], loudness = 1_000): PlacedSpeech {
  const words = { turnId, index: 0, language: 'en', medium: 'voice', text: 'So.', heardText: 'So.' } as const;
  const sentence: ScoredSentence = { ...words, startMs, heardMs, durationMs: heardMs, cut: false };
  return { sentence, speech: { samples: new Int16Array(spokenMs * 48).fill(loudness), visemes: [], words: [], engine: 'flite' } };
}

/** Ms with sound in them. */
function heardMs(sound: Int16Array): readonly number[] {
  return Array.from({ length: sound.length / 48 }, (_, ms) => ms).filter((ms) =>
    sound.subarray(ms * 48, ms * 48 + 48).some((sample) => sample !== 0),
  );
}

test('a voice sounds in its time and nowhere else, however the time is cut into pieces', () => {
  const voices = [placed([10, 20, 20]), placed([50, 5, 5])];
  const whole = soundBetween(0, 80, voices);
  expect(heardMs(whole)).toEqual([...Array.from({ length: 20 }, (_, nth) => 10 + nth), 50, 51, 52, 53, 54]);
  const pieces = [0, 7, 13, 40, 52].map((from, nth, all) => soundBetween(from, all[nth + 1] ?? 80, voices));
  expect(pieces.flatMap((piece) => [...piece])).toEqual([...whole]);
});

test('one that is longer now is cut where it ended then, without a click', () => {
  const sound = soundBetween(0, 40, [placed([0, 20, 30])]);
  expect(heardMs(sound)).toEqual(Array.from({ length: 20 }, (_, nth) => nth));
  const steps = sound.slice(1).map((sample, at) => Math.abs(sample - (sound[at] ?? 0)));
  expect(Math.max(...steps)).toBeLessThan(10);
});

test('one that is shorter now is followed by silence', () => {
  expect(heardMs(soundBetween(0, 40, [placed([0, 30, 12])]))).toHaveLength(12);
});

test('sentences that touch between two samples do not overlap', () => {
  const [first, second] = [placed([0, 10.013, 12], 500), placed([10.013, 10, 10], -500)];
  const sound = soundBetween(0, 30, [first, second]);
  expect(sound.findIndex((sample) => sample < 0)).toBe(481);
  expect(sound.findLastIndex((sample) => sample > 0)).toBeLessThan(481);
});
