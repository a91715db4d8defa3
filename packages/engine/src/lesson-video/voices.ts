import type { TurnId } from '@virtual-tutor/schemas';
import { playoutRate, SpeechUnavailable } from '../media/ports.ts';
import type { Speaker } from '../speech/speaker.ts';
import { type LessonScore, lastFrom, type ScoredSentence } from './score.ts';
import type { Appearance } from './stage.ts';
import type { PlacedSpeech } from './voice-track.ts';

/** How a sentence is in the video. */
export interface RenderedSentence {
  readonly turnId: TurnId;
  readonly index: number;
  readonly medium: 'voice' | 'text';
  readonly startMs: number;
  readonly heardMs: number;
  /** Then; null: the log does not say. */
  readonly durationMs: number | null;
  /** Who said it now; null: it was read, or nobody could. */
  readonly engine: string | null;
  /** How long it would be now. */
  readonly spokenMs: number | null;
  /**
   * `as_then`: as long as in the lesson, so the same voice. `cut_off` and `padded`: another voice, or another version of it, in the time that
   * it had then. `interrupted`: the log holds no length to compare with. Null: there is no sound of it.
   */
  readonly fit: 'as_then' | 'cut_off' | 'padded' | 'interrupted' | null;
}

/** Heard then, and not now. */
export interface SilentSentence {
  readonly turnId: TurnId;
  readonly index: number;
  readonly why: 'erased' | SpeechUnavailable['code'];
}

/** Sentences that are synthesised while those before them are drawn. */
const sentencesAhead = 2;
/** One and the same voice differs by less: what espeak-ng said before changes the length of a sentence by half a ms. */
const sameMs = 10;

interface Attempt {
  readonly sentence: ScoredSentence;
  readonly spoken: Promise<PlacedSpeech>;
}

/** What the tutor said, said again: one sentence after the other, a little ahead of the picture. */
export class Voices {
  readonly #score: LessonScore;
  readonly #waiting: ScoredSentence[];
  readonly #ahead: Attempt[] = [];
  #placed: PlacedSpeech[] = [];
  readonly #rendered = new Map<ScoredSentence, Pick<RenderedSentence, 'engine' | 'spokenMs' | 'fit'>>();
  readonly #silent: SilentSentence[] = [];
  readonly #say: (sentence: ScoredSentence) => Promise<PlacedSpeech>;

  constructor(score: LessonScore, { speaker, appearances }: { readonly speaker: Speaker; readonly appearances: readonly Appearance[] }) {
    this.#score = score;
    this.#waiting = score.sentences.filter(({ medium }) => medium === 'voice');
    this.#say = async (sentence) => {
      const { text, language, startMs } = sentence;
      if (text === null) return this.#leaveOut(sentence, 'erased');
      const voice = lastFrom(appearances, startMs)?.voice ?? null;
      try {
        const speech = await speaker.say({ text, language, voice, signal: never });
        this.#rendered.set(sentence, { engine: speech.engine, ...fitOf(sentence, speech.samples.length) });
        return { sentence, speech };
      } catch (error) {
        if (!(error instanceof SpeechUnavailable)) throw error;
        return this.#leaveOut(sentence, error.code);
      }
    };
  }

  /** All that is heard from one moment to another; moments go on and never back. */
  async between(fromMs: number, toMs: number): Promise<readonly PlacedSpeech[]> {
    this.#prepare();
    for (let next = this.#ahead[0]; next !== undefined && next.sentence.startMs < toMs; next = this.#ahead[0]) {
      this.#placed.push(await next.spoken);
      this.#ahead.shift();
      this.#prepare();
    }
    this.#placed = this.#placed.filter(({ sentence }) => sentence.startMs + sentence.heardMs > fromMs);
    return this.#placed;
  }

  report(): { readonly sentences: readonly RenderedSentence[]; readonly silent: readonly SilentSentence[] } {
    const unknown = { engine: null, spokenMs: null, fit: null };
    const sentences = this.#score.sentences.map((sentence) => {
      const { turnId, index, medium, startMs, heardMs, durationMs } = sentence;
      return { turnId, index, medium, startMs, heardMs, durationMs, ...(this.#rendered.get(sentence) ?? unknown) };
    });
    return { sentences, silent: this.#silent };
  }

  #prepare(): void {
    while (this.#ahead.length < sentencesAhead) {
      const sentence = this.#waiting.shift();
      if (sentence === undefined) return;
      const spoken = this.#say(sentence);
      // Told where it is waited for.
      spoken.catch(() => undefined);
      this.#ahead.push({ sentence, spoken });
    }
  }

  #leaveOut(sentence: ScoredSentence, why: SilentSentence['why']): PlacedSpeech {
    this.#silent.push({ turnId: sentence.turnId, index: sentence.index, why });
    return { sentence, speech: null };
  }
}

const never = new AbortController().signal;

function fitOf({ heardMs, durationMs }: ScoredSentence, samples: number): Pick<RenderedSentence, 'spokenMs' | 'fit'> {
  const spokenMs = (samples * 1_000) / playoutRate;
  if (durationMs === null) return { spokenMs, fit: spokenMs < heardMs - sameMs ? 'padded' : 'interrupted' };
  if (Math.abs(spokenMs - durationMs) < sameMs) return { spokenMs, fit: 'as_then' };
  return { spokenMs, fit: spokenMs > durationMs ? 'cut_off' : 'padded' };
}
