import type { Speech, Tts } from '../media/ports.ts';
import { finishSpeech } from '../speech/finish.ts';
import { ipaVisemes, type TimedPhone } from '../speech/visemes.ts';
import { type TextRange, type TimeRange, timeWords, wordsIn } from '../speech/word-times.ts';
import { type EspeakEvent, type EspeakWorker, openEspeakWorker } from './espeak-module.ts';

/*
 * espeak-ng, compiled to WASM by the Echogarden project. GPL-3.0: an optional package that a separate
 * program thread loads, and that nothing else here is built from; without it there is no Chinese voice.
 * Blocks its thread.
 */

const usualVoices = { en: 'en-us', zh: 'cmn' } as const;
/** Words a minute; 175 is espeak's own. In Chinese 180 are four syllables a second, a teacher's pace. */
const rates = { en: 165, zh: 180 } as const;
/** 0 to 99; 50 is espeak's own. */
const pitches = { en: 48, zh: 52 } as const;
/** How much the voice rises and falls, 0 to 99; 50 is espeak's own. */
const pitchRange = 55;

export async function createEspeak(): Promise<Tts> {
  const worker = await openEspeakWorker();
  return {
    name: 'espeak-ng',
    languages: ['en', 'zh'],
    async synthesize({ text, language, voice, signal }): Promise<Speech> {
      signal.throwIfAborted();
      if (voice === null || worker.set_voice(voice) !== 0) worker.set_voice(usualVoices[language]);
      worker.rate = rates[language];
      worker.pitch = pitches[language];
      worker.range = pitchRange;
      const { samples, events } = listen(worker, text, signal);
      const words = wordsIn(text);
      const endMs = (samples.length * 1000) / worker.samplerate;
      return finishSpeech({
        samples,
        rate: worker.samplerate,
        visemes: ipaVisemes(readPhones(events, endMs), language),
        words: timeWords(words, wordTimes({ text, words, events, endMs })),
        engine: 'espeak-ng',
      });
    },
  };
}

interface Heard {
  readonly samples: Int16Array;
  readonly events: readonly EspeakEvent[];
}

function listen(worker: EspeakWorker, text: string, signal: AbortSignal): Heard {
  const parts: Int16Array[] = [];
  const events: EspeakEvent[] = [];
  worker.synthesize(text, (part, news) => {
    // The memory behind it is used again.
    if (part !== null) parts.push(new Int16Array(part.slice(0)));
    events.push(...news);
    return signal.aborted;
  });
  const samples = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    samples.set(part, at);
    at += part.length;
  }
  return { samples, events };
}

/** A phone lasts until the next one begins; one without a name is silence. */
function readPhones(events: readonly EspeakEvent[], endMs: number): readonly TimedPhone[] {
  const phones = events.filter(({ type }) => type === 'phoneme');
  return phones.map(({ id, audio_position }, index) => ({
    phone: String(id ?? ''),
    startMs: audio_position,
    endMs: phones[index + 1]?.audio_position ?? endMs,
  }));
}

interface Utterance {
  readonly text: string;
  readonly words: readonly TextRange[];
  readonly events: readonly EspeakEvent[];
  readonly endMs: number;
}

/**
 * Events name the place in the text, but not always the right one: of "most of", said as one, both
 * name "most"; "AI" is two words. So events of one place go to the words from there on, as many as
 * have none of their own.
 */
function wordTimes({ text, words, events, endMs }: Utterance): readonly (TimeRange | null)[] {
  const starts = codePointStarts(text);
  const spoken: TimeRange[][] = words.map(() => []);
  let place = 0;
  for (const { at, time } of eventTimes(events, endMs)) {
    const offset = starts[at] ?? text.length;
    const found = words.findIndex(({ to }) => to > offset);
    place = Math.max(place, found === -1 ? words.length - 1 : found);
    spoken[place]?.push(time);
  }
  for (const [index, times] of spoken.entries()) {
    for (let next = index + 1; times.length > 1 && spoken[next]?.length === 0; next += 1) {
      const moved = times.splice(next === index + 1 ? Math.max(1, times.length - emptyAfter(spoken, index)) : 1, 1);
      spoken[next]?.push(...moved);
    }
  }
  return spoken.map((times) => {
    const [first] = times;
    return first === undefined ? null : { startMs: first.startMs, endMs: times.at(-1)?.endMs ?? first.endMs };
  });
}

function emptyAfter(spoken: readonly (readonly TimeRange[])[], index: number): number {
  const next = spoken.findIndex((times, at) => at > index && times.length > 0);
  return (next === -1 ? spoken.length : next) - index - 1;
}

/** When each word event is spoken: from its first phone to its last, silence apart. `at`: character it names, from 0. */
function eventTimes(events: readonly EspeakEvent[], endMs: number): readonly { readonly at: number; readonly time: TimeRange }[] {
  const said: { at: number; time: TimeRange }[] = [];
  const timed = events.filter(({ type }) => type === 'word' || type === 'phoneme');
  for (const [index, event] of timed.entries()) {
    const untilMs = timed[index + 1]?.audio_position ?? endMs;
    const last = said.at(-1);
    if (event.type === 'word') {
      said.push({ at: event.text_position - 1, time: { startMs: event.audio_position, endMs: event.audio_position } });
    } else if (last !== undefined && event.id !== '') last.time = { startMs: last.time.startMs, endMs: untilMs };
  }
  return said;
}

/** Where each code point begins, in UTF-16 units. */
function codePointStarts(text: string): readonly number[] {
  const starts: number[] = [];
  let at = 0;
  for (const character of text) {
    starts.push(at);
    at += character.length;
  }
  return starts;
}
