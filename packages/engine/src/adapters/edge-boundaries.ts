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

/** Times in proportion to the letters, over what is voiced: for sound that came without boundaries. */
export function spreadTimes(text: string, samples: Int16Array, rate: number): readonly TimedWord[] {
  const words = wordsIn(text);
  const voiced = voicedRanges(samples, rate);
  const voicedMs = voiced.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  const letters = words.reduce((sum, word) => sum + weight(word, text), 0);
  let passed = 0;
  const times = words.map((word) => {
    const startMs = atVoiced(voiced, (voicedMs * passed) / letters);
    passed += weight(word, text);
    return { startMs, endMs: atVoiced(voiced, (voicedMs * passed) / letters) };
  });
  return timeWords(words, times);
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
