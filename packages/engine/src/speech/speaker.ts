import type { Locale } from '@virtual-tutor/schemas';
import { type Speech, type SpeechRequest, SpeechUnavailable, type TimedWord } from '../media/ports.ts';
import type { ComponentHealth, WorkerConfig } from '../media/protocol.ts';
import { borrowVisemes } from './borrowed-visemes.ts';
import { joinRuns, languageRuns, type SpokenRun } from './language-runs.ts';
import { type Pronounceable, pronounceable, sourceOf } from './pronounceable.ts';
import { synthesisHealth } from './synthesis-health.ts';
import { Synthesiser, type SynthesiserLimits } from './synthesiser.ts';
import { type Candidate, candidatesFor, type EngineName } from './voices.ts';
import { timeWords, wordsIn } from './word-times.ts';

export interface Speaker extends AsyncDisposable {
  /**
   * `text` is the sentence as it was generated, Markdown and all; words' ranges are in it. No samples
   * when nothing in it can be said. Throws `SpeechUnavailable`; an `AbortError` once the signal aborts.
   */
  say(request: SpeechRequest): Promise<Speech>;
  /** Somebody who speaks this language is worth asking: installed, and not in a pause after failures. */
  maySpeak(language: Locale): boolean;
  health(): readonly ComponentHealth[];
}

/** What a speaker is made of. */
export interface SpeakerParts {
  /** The program of each engine's thread. */
  readonly programs: Readonly<Record<EngineName, URL>>;
  readonly limits: Readonly<Record<EngineName, SynthesiserLimits>>;
  /** Monotonic, ms. */
  readonly now: () => number;
}

const program = new URL('./synthesis-thread.ts', import.meta.url);
/** A sentence takes 0.1 s; the longest that the segmenter cuts, 2 s. `waiting` must exceed the sessions of a worker. */
const embeddedLimits: SynthesiserLimits = { parallel: 1, waiting: 256, timeoutMs: 10_000, failures: 3, pauseMs: 30_000 };
/** Waiting for the network it can wait for several; it gives up by itself long before `timeoutMs`, and students wait for that. */
const edgeLimits: SynthesiserLimits = { parallel: 8, waiting: 256, timeoutMs: 30_000, failures: 2, pauseMs: 60_000 };

const usualParts: SpeakerParts = {
  programs: { flite: program, 'espeak-ng': program, edge: program },
  limits: { flite: embeddedLimits, 'espeak-ng': embeddedLimits, edge: edgeLimits },
  now: () => performance.now(),
};

/** Speaks with the best engine that works. Engines run in threads of their own, opened at once. */
export function createSpeaker(config: WorkerConfig['tts'], parts: SpeakerParts = usualParts): Speaker {
  return new FallbackSpeaker(config, parts);
}

class FallbackSpeaker implements Speaker {
  readonly #edgeVoice: string | null;
  readonly #engines: ReadonlyMap<EngineName, Synthesiser>;

  constructor({ enabled, edgeVoice }: WorkerConfig['tts'], { programs, limits, now }: SpeakerParts) {
    const used: readonly EngineName[] = enabled ? ['flite', 'espeak-ng', ...(edgeVoice === null ? [] : (['edge'] as const))] : [];
    this.#edgeVoice = edgeVoice;
    this.#engines = new Map(
      used.map((engine) => [engine, new Synthesiser({ setup: { engine }, limits: limits[engine], program: programs[engine], now })]),
    );
  }

  async say(request: SpeechRequest): Promise<Speech> {
    const said = pronounceable(request.text, request.language);
    const words = wordsIn(said.text);
    if (words.length === 0) return { samples: new Int16Array(0), visemes: [], words: [], engine: 'none' };
    const runs = languageRuns(said.text, request.language);
    const spoken = joinRuns(await this.#sayRuns(runs.map((run) => ({ ...request, ...run, text: said.text.slice(run.from, run.to) }))));
    // A run that nobody could speak has no times of its own.
    const timed = new Map(spoken.words.map((word) => [word.from, word]));
    const complete = timeWords(
      words,
      words.map(({ from }) => timed.get(from) ?? null),
    );
    return { ...spoken, words: inSource(complete, said) };
  }

  maySpeak(language: Locale): boolean {
    const candidates = candidatesFor({ language, voice: null, edgeVoice: this.#edgeVoice });
    return candidates.some(({ engine }) => this.#engines.get(engine)?.available === true);
  }

  health(): readonly ComponentHealth[] {
    if (this.#engines.size === 0) return [];
    return synthesisHealth({ edgeVoice: this.#edgeVoice, stateOf: (engine) => this.#engines.get(engine)?.state ?? null });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#engines.values()].map((engine) => engine[Symbol.asyncDispose]()));
  }

  /** All voices at once; those that fail are left out, unless all do. */
  async #sayRuns(requests: readonly (SpeechRequest & { readonly from: number })[]): Promise<readonly SpokenRun[]> {
    const results = await Promise.allSettled(
      requests.map(async (request) => ({ from: request.from, speech: await this.#sayRun(request) })),
    );
    const spoken = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined && (spoken.length === 0 || !(failed.reason instanceof SpeechUnavailable))) throw failed.reason;
    return spoken;
  }

  async #sayRun(request: SpeechRequest): Promise<Speech> {
    const candidates = candidatesFor({ language: request.language, voice: request.voice, edgeVoice: this.#edgeVoice });
    let failure = new SpeechUnavailable('not_installed', 'speech synthesis is switched off');
    for (const candidate of candidates) {
      try {
        return await this.#ask(candidate, request);
      } catch (error) {
        if (!(error instanceof SpeechUnavailable)) throw error;
        failure = error;
      }
    }
    // Nobody else is left; its next thread may manage.
    const last = candidates.at(-1);
    if (failure.code === 'crashed' && last !== undefined) return await this.#ask(last, request);
    throw failure;
  }

  async #ask({ engine, voice }: Candidate, request: SpeechRequest): Promise<Speech> {
    const synthesiser = this.#engines.get(engine);
    if (synthesiser === undefined) throw new SpeechUnavailable('not_installed', `${engine} is switched off`);
    if (engine !== 'edge') return await synthesiser.synthesize({ ...request, voice });
    const [speech, reference] = await Promise.all([synthesiser.synthesize({ ...request, voice }), this.#reference(request)]);
    return reference === null ? speech : { ...speech, visemes: borrowVisemes(reference, speech.words) };
  }

  /** The same sentence by an embedded voice, for its mouth. */
  async #reference(request: SpeechRequest): Promise<Speech | null> {
    const [embedded] = candidatesFor({ language: request.language, voice: null, edgeVoice: null });
    const synthesiser = embedded === undefined ? undefined : this.#engines.get(embedded.engine);
    if (synthesiser?.available !== true) return null;
    return await synthesiser.synthesize({ ...request, voice: null }).catch(() => null);
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
