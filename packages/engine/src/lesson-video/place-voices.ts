import type { ScoredSentence } from './score.ts';

/** A sentence that reached the student, and when its host knew: the log's own time of that. */
export interface Heard {
  readonly knownAtMs: number;
  readonly sentence: Omit<ScoredSentence, 'startMs'>;
}

/**
 * When each began. A voice is heard to its end before its host says so, and one sentence after the other: of all that fits this, the latest is
 * taken, which is what happened but for the ms between a fact and its commit. Facts that waited together for an unreachable log come out one
 * after the other, not on one heap. What was read was read when its host says so.
 */
export function placeVoices(heard: readonly Heard[]): readonly ScoredSentence[] {
  const starts = latestStarts(heard);
  let endMs = 0;
  return heard.map(({ knownAtMs, sentence }, at) => {
    if (sentence.medium === 'text') return { ...sentence, startMs: knownAtMs };
    // A log that holds more speech than time: one after the other is all that is left.
    const startMs = Math.max(endMs, starts[at] ?? knownAtMs);
    endMs = startMs + sentence.heardMs;
    return { ...sentence, startMs };
  });
}

function latestStarts(heard: readonly Heard[]): readonly number[] {
  let nextMs = Number.POSITIVE_INFINITY;
  return heard
    .toReversed()
    .map(({ knownAtMs, sentence }) => {
      if (sentence.medium === 'text') return knownAtMs;
      nextMs = Math.min(knownAtMs, nextMs) - sentence.heardMs;
      return nextMs;
    })
    .toReversed();
}
