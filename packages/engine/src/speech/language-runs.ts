import type { Locale } from '@virtual-tutor/schemas';
import { playoutRate, type Speech } from '../media/ports.ts';
import { leadMs, tailMs } from './finish.ts';
import type { TextRange } from './word-times.ts';

/** Part of a text that one voice can speak. */
export interface LanguageRun extends TextRange {
  readonly language: Locale;
}

/**
 * English voices have no word for a Chinese character, so an English sentence with some is spoken by
 * two voices in turn. A Chinese voice says the English words in a Chinese sentence itself.
 */
export function languageRuns(text: string, language: Locale): readonly LanguageRun[] {
  const whole: LanguageRun = { from: 0, to: text.length, language };
  if (language === 'zh' || !/\p{sc=Han}/u.test(text)) return [whole];
  const chinese = [...text.matchAll(/\p{sc=Han}(?:[\p{sc=Han}，。！？；：、 ]*[\p{sc=Han}，。！？；：、])?/gu)];
  const runs: LanguageRun[] = [];
  let at = 0;
  for (const { index, 0: run } of chinese) {
    runs.push({ from: at, to: index, language: 'en' }, { from: index, to: index + run.length, language: 'zh' });
    at = index + run.length;
  }
  runs.push({ from: at, to: text.length, language: 'en' });
  return runs.filter(({ from, to }) => /[\p{L}\p{N}]/u.test(text.slice(from, to)));
}

/** Between two voices of one sentence, ms. */
const seamMs = 50;

export interface SpokenRun {
  readonly from: number;
  readonly speech: Speech;
}

/** One speech out of several, each about the text from its own place on. */
export function joinRuns(runs: readonly SpokenRun[]): Speech {
  const [only] = runs;
  if (only !== undefined && runs.length === 1 && only.from === 0) return only.speech;
  const parts = runs.map(({ from, speech }, index) => {
    // Silence at the joints is cut to the length of a seam.
    const head = index === 0 ? 0 : leadMs;
    const tail = index === runs.length - 1 ? 0 : tailMs - seamMs;
    return { from, speech, headMs: head, lengthMs: Math.max(0, (speech.samples.length * 1000) / playoutRate - head - tail) };
  });
  const samples = new Int16Array(parts.reduce((sum, { lengthMs }) => sum + inSamples(lengthMs), 0));
  const visemes: Speech['visemes'][number][] = [];
  const words: Speech['words'][number][] = [];
  let at = 0;
  for (const { from, speech, headMs, lengthMs } of parts) {
    const head = inSamples(headMs);
    samples.set(speech.samples.subarray(head, head + inSamples(lengthMs)), at);
    const startMs = (at * 1000) / playoutRate;
    const moved = (ms: number) => startMs + Math.min(lengthMs, Math.max(0, ms - headMs));
    for (const viseme of speech.visemes) visemes.push({ ...viseme, startMs: moved(viseme.startMs), endMs: moved(viseme.endMs) });
    for (const word of speech.words) {
      words.push({ from: word.from + from, to: word.to + from, startMs: moved(word.startMs), endMs: moved(word.endMs) });
    }
    at += inSamples(lengthMs);
  }
  return { samples, visemes: visemes.filter(({ startMs, endMs }) => endMs > startMs), words, engine: only?.speech.engine ?? 'none' };
}

function inSamples(ms: number): number {
  return Math.round((ms * playoutRate) / 1000);
}
