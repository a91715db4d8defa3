import type { TimedWord } from '../media/ports.ts';
import { voicedRanges } from '../speech/energy-visemes.ts';
import { type TextRange, type TimeRange, timeWords, wordsIn } from '../speech/word-times.ts';

/** A word as Edge TTS reports it; in Chinese one of several characters. */
export interface WordBoundary extends TimeRange {
  readonly text: string;
}

/** Offsets come in units of 100 ns. */
const ticksPerMs = 10_000;
const entities: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&#39;': "'" };

/** The word boundaries of an `audio.metadata` message; what is none is skipped. */
export function readBoundaries(json: string): readonly WordBoundary[] {
  const entries = field(parsed(json), 'Metadata');
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: unknown) => {
    const data = field(entry, 'Data');
    const [offset, duration, text] = [field(data, 'Offset'), field(data, 'Duration'), field(field(data, 'text'), 'Text')];
    if (field(entry, 'Type') !== 'WordBoundary' || typeof offset !== 'number' || typeof duration !== 'number') return [];
    if (typeof text !== 'string' || text === '') return [];
    return [{ text: unescaped(text), startMs: offset / ticksPerMs, endMs: (offset + duration) / ticksPerMs }];
  });
}

/** Times of every word from the boundaries, in their order; null: too few of them fit the text. */
export function boundaryTimes(text: string, boundaries: readonly WordBoundary[]): readonly TimedWord[] | null {
  const words = wordsIn(text);
  const times: (TimeRange | null)[] = words.map(() => null);
  let searchFrom = 0;
  for (const { text: said, startMs, endMs } of boundaries) {
    const found = text.indexOf(said, searchFrom);
    // Said otherwise than it is written.
    if (found === -1) continue;
    searchFrom = found + said.length;
    const index = words.findIndex(({ to }) => to > found);
    if (index !== -1) times[index] ??= { startMs, endMs };
  }
  const fitting = times.filter((time) => time !== null).length;
  return fitting * 4 < words.length ? null : timeWords(words, times);
}

/**
 * Times in proportion to the letters, for sound that came without boundaries: each clause over its own
 * stretch of voice. Clauses end at the longest pauses; with too few pauses all is spread over all.
 */
export function spreadTimes(text: string, samples: Int16Array, rate: number): readonly TimedWord[] {
  const words = wordsIn(text);
  const voiced = voicedRanges(samples, rate);
  const clauses = clausesOf(text, words);
  const stretches = stretchesOf(voiced, clauses.length);
  const spread =
    clauses.length === stretches.length
      ? clauses.flatMap((clause, index) => spreadOver(clause, { text, voiced: stretches[index] ?? [] }))
      : spreadOver(words, { text, voiced });
  return timeWords(words, spread);
}

/** The voiced ranges in this many groups, or fewer, parted by the longest pauses. */
function stretchesOf(voiced: readonly TimeRange[], count: number): readonly (readonly TimeRange[])[] {
  const pauses = voiced.slice(1).map(({ startMs }, index) => ({ index, lengthMs: startMs - (voiced[index]?.endMs ?? 0) }));
  const longest = pauses.toSorted((a, b) => b.lengthMs - a.lengthMs).slice(0, count - 1);
  const ends = [...longest.map(({ index }) => index + 1).toSorted((a, b) => a - b), voiced.length];
  return ends.map((end, index) => voiced.slice(ends[index - 1] ?? 0, end));
}

function clausesOf(text: string, words: readonly TextRange[]): readonly (readonly TextRange[])[] {
  const clauses: TextRange[][] = [];
  let end = 0;
  for (const word of words) {
    const last = clauses.at(-1);
    if (last === undefined || /[,.;:!?，。；：！？、]/u.test(text.slice(end, word.from))) clauses.push([word]);
    else last.push(word);
    end = word.to;
  }
  return clauses;
}

function spreadOver(
  words: readonly TextRange[],
  over: { readonly text: string; readonly voiced: readonly TimeRange[] },
): readonly TimeRange[] {
  const { text, voiced } = over;
  const voicedMs = voiced.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  const letters = words.reduce((sum, word) => sum + weight(word, text), 0);
  let passed = 0;
  return words.map((word) => {
    const startMs = atVoiced(voiced, (voicedMs * passed) / letters);
    passed += weight(word, text);
    return { startMs, endMs: atVoiced(voiced, (voicedMs * passed) / letters) };
  });
}

/** Letters of a syllable: a Chinese character is one, about three of the Latin alphabet. */
function weight({ from, to }: TextRange, text: string): number {
  return /\p{sc=Han}/u.test(text.slice(from, to)) ? 3 : to - from + 1;
}

/** When this much has been voiced, ms. */
function atVoiced(voiced: readonly TimeRange[], ms: number): number {
  let left = ms;
  for (const { startMs, endMs } of voiced) {
    if (left <= endMs - startMs) return startMs + left;
    left -= endMs - startMs;
  }
  return voiced.at(-1)?.endMs ?? 0;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function unescaped(text: string): string {
  return text.replaceAll(/&(?:amp|lt|gt|quot|apos|#39);/g, (entity) => entities[entity] ?? entity);
}
