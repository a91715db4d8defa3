import type { TimedWord } from '../media/ports.ts';

/** Half open range of UTF-16 code units. */
export interface TextRange {
  readonly from: number;
  readonly to: number;
}

/** Half open, ms from the beginning of the speech. */
export interface TimeRange {
  readonly startMs: number;
  readonly endMs: number;
}

/** A Chinese character is a word here: captions and heard truth go by what is said, a syllable. */
const word = /(?=[\p{L}\p{N}])\p{sc=Han}|(?:(?!\p{sc=Han})[\p{L}\p{N}\p{M}])+(?:['’.,:-](?:(?!\p{sc=Han})[\p{L}\p{N}\p{M}])+)*/gu;

/** Everything in plain text that a voice says, in order. */
export function wordsIn(text: string): readonly TextRange[] {
  return [...text.matchAll(word)].map((match) => ({ from: match.index, to: match.index + match[0].length }));
}

/**
 * Gives every word a time, in order. A synthesiser that reports one time for several words ("of the")
 * had them said within it: they share it by their length; so do words it did not report at all, with
 * the one before, or the first one after.
 */
export function timeWords(words: readonly TextRange[], times: readonly (TimeRange | null)[]): readonly TimedWord[] {
  const firstTimed = times.findIndex((time) => time !== null);
  if (firstTimed === -1) return [];
  const timed: TimedWord[] = [];
  let at = 0;
  while (at < words.length) {
    const time = times[Math.max(at, firstTimed)];
    let end = Math.max(at, firstTimed) + 1;
    while (end < words.length && (times[end] ?? null) === null) end += 1;
    if (time) timed.push(...share(words.slice(at, end), time));
    at = end;
  }
  return inOrder(timed);
}

function share(words: readonly TextRange[], { startMs, endMs }: TimeRange): readonly TimedWord[] {
  const letters = words.reduce((sum, { from, to }) => sum + to - from, 0);
  let passed = 0;
  return words.map(({ from, to }) => {
    const start = startMs + ((endMs - startMs) * passed) / letters;
    passed += to - from;
    return { from, to, startMs: start, endMs: startMs + ((endMs - startMs) * passed) / letters };
  });
}

/** No word begins before the one before it ended. */
function inOrder(words: readonly TimedWord[]): readonly TimedWord[] {
  let latest = 0;
  return words.map((timed) => {
    const startMs = Math.max(timed.startMs, latest);
    const endMs = Math.max(timed.endMs, startMs);
    latest = endMs;
    return { ...timed, startMs, endMs };
  });
}
