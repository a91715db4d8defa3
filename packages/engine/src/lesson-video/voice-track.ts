import { playoutRate, type Speech } from '../media/ports.ts';
import type { ScoredSentence } from './score.ts';

/** A sentence in its place. */
export interface PlacedSpeech {
  readonly sentence: ScoredSentence;
  /** Null: nobody could say it; its time is silent. */
  readonly speech: Speech | null;
}

/** A voice that is cut fades out in so many samples, as it did in the lesson: it would click. */
const fadeSamples = 240;

/** The first sample at or after a moment, so that what touches does not overlap. */
export function sampleAt(ms: number): number {
  return Math.round((ms * playoutRate) / 1_000);
}

/**
 * The sound from one moment to another. A sentence has exactly the time that it had: what is spoken longer now is cut, what is spoken in less is
 * followed by silence, and nothing is stretched.
 */
export function soundBetween(fromMs: number, toMs: number, placed: Iterable<PlacedSpeech>): Int16Array {
  const from = sampleAt(fromMs);
  const sound = new Int16Array(sampleAt(toMs) - from);
  for (const { sentence, speech } of placed) {
    if (speech === null) continue;
    const start = sampleAt(sentence.startMs);
    const room = sampleAt(sentence.startMs + sentence.heardMs) - start;
    const { samples } = speech;
    // A sample more or less is rounding, no cut.
    const isCut = samples.length > room + 1;
    const length = Math.min(samples.length, room);
    for (let at = Math.max(0, from - start); at < length && start + at < from + sound.length; at += 1) {
      const left = length - at;
      const share = isCut && left <= fadeSamples ? left / fadeSamples : 1;
      sound[start + at - from] = Math.round((samples[at] ?? 0) * share);
    }
  }
  return sound;
}
