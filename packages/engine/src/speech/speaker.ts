import type { Locale } from '@virtual-tutor/schemas';
import { type Speech, type SpeechRequest, SpeechUnavailable, type TimedWord } from '../media/ports.ts';
import type { ComponentHealth, WorkerConfig } from '../media/protocol.ts';
import { type Pronounceable, pronounceable, sourceOf } from './pronounceable.ts';
import { Synthesiser, type SynthesiserLimits } from './synthesiser.ts';
import { wordsIn } from './word-times.ts';

export interface Speaker extends AsyncDisposable {
  /**
   * `text` is the sentence as it was generated, Markdown and all; words' ranges are in it. No samples
   * when nothing in it can be said. Throws `SpeechUnavailable`; an `AbortError` once the signal aborts.
   */
  say(request: SpeechRequest): Promise<Speech>;
  health(): readonly ComponentHealth[];
}

type EngineName = 'flite' | 'espeak-ng';

const embeddedLimits: SynthesiserLimits = { parallel: 1, waiting: 200, timeoutMs: 10_000, failures: 3, pauseMs: 30_000 };
const usualProgram = new URL('./synthesis-thread.ts', import.meta.url);
const embeddedOrder: Readonly<Record<Locale, readonly EngineName[]>> = { en: ['flite', 'espeak-ng'], zh: ['espeak-ng'] };

export function createSpeaker(config: WorkerConfig['tts']): Speaker {
  return new FallbackSpeaker(config);
}

class FallbackSpeaker implements Speaker {
  readonly #engines: Readonly<Record<EngineName, Synthesiser>> | null;

  constructor(config: WorkerConfig['tts']) {
    const open = (engine: EngineName) =>
      new Synthesiser({ setup: { engine }, limits: embeddedLimits, program: usualProgram, now: () => performance.now() });
    this.#engines = config.enabled ? { flite: open('flite'), 'espeak-ng': open('espeak-ng') } : null;
  }

  async say(request: SpeechRequest): Promise<Speech> {
    const said = pronounceable(request.text, request.language);
    if (wordsIn(said.text).length === 0) return { samples: new Int16Array(0), visemes: [], words: [], engine: 'none' };
    let failure = new SpeechUnavailable('not_installed', 'speech synthesis is switched off');
    for (const name of this.#engines === null ? [] : embeddedOrder[request.language]) {
      try {
        const speech = await this.#engines?.[name].synthesize({ ...request, text: said.text });
        if (speech !== undefined) return { ...speech, words: inSource(speech.words, said) };
      } catch (error) {
        if (!(error instanceof SpeechUnavailable)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  health(): readonly ComponentHealth[] {
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#engines === null) return;
    await Promise.all([this.#engines.flite[Symbol.asyncDispose](), this.#engines['espeak-ng'][Symbol.asyncDispose]()]);
  }
}

/** Words that come from one place of the source are one: a formula lights up as a whole. */
function inSource(words: readonly TimedWord[], said: Pronounceable): readonly TimedWord[] {
  const mapped: TimedWord[] = [];
  for (const word of words) {
    const range = sourceOf(said, word);
    const last = mapped.at(-1);
    if (last !== undefined && range.from < last.to) {
      mapped[mapped.length - 1] = { ...last, to: Math.max(last.to, range.to), endMs: word.endMs };
    } else mapped.push({ ...word, ...range });
  }
  return mapped;
}
