import type { Locale } from '@virtual-tutor/schemas';
import { SpeechUnavailable, type Transcript } from '../media/ports.ts';
import type { RecentAudio } from './recent-audio.ts';
import type { Recogniser } from './recogniser.ts';

export type Understood =
  | { readonly type: 'transcript'; readonly transcript: Transcript }
  | { readonly type: 'failed'; readonly reason: 'language_unsupported' | 'unavailable' }
  /** Something newer took its place. */
  | { readonly type: 'dropped' };

/** Time in the audio, ms. */
interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** One try at understanding what was said. */
export interface Attempt extends Span {
  readonly kind: 'partial' | 'final';
  /** Where the audio ended that it was made of, ms. */
  readonly heardToMs: number;
  readonly understood: Promise<Understood>;
}

interface AttemptsOptions {
  readonly owner: string;
  readonly language: Locale;
  readonly recogniser: Pick<Recogniser, 'transcribe' | 'supports'>;
  readonly audio: RecentAudio;
}

/**
 * Heard beyond the end of the voice, ms: a last consonant fades. With 100 before and after Moonshine made
 * fewest errors; with 400, single words were lost.
 */
const tailMs = 100;

/**
 * The tries at one utterance after another: one at a time, and the one made at a pause is the last one if
 * the voice does not come back.
 */
export class Attempts {
  readonly #options: AttemptsOptions;
  /** Of everything that is being recognised. */
  readonly #open = new Set<AbortController>();
  #current: { readonly attempt: Attempt; readonly abort: AbortController; done: boolean } | null = null;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  get underWay(): boolean {
    return this.#current?.done === false;
  }

  /** Null: the language cannot be understood here, or a partial is still being made. */
  begin(kind: Attempt['kind'], span: Span): Attempt | null {
    const { recogniser, language } = this.#options;
    if (!recogniser.supports(language)) return null;
    if (kind === 'partial' && this.#current !== null && !this.#current.done) return null;
    return this.#start(kind, span);
  }

  /** The final transcript of an utterance, which may have been under way since the pause. */
  finish({ fromMs, toMs }: Span): Attempt {
    const under = this.#current?.attempt;
    if (under !== undefined && under.kind === 'final' && under.fromMs === fromMs && under.toMs >= toMs) {
      this.#current = null;
      return under;
    }
    const attempt = this.#start('final', { fromMs, toMs });
    this.#current = null;
    return attempt;
  }

  close(): void {
    // Nobody is there to be told.
    for (const abort of this.#open) abort.abort();
  }

  #start(kind: Attempt['kind'], { fromMs, toMs }: Span): Attempt {
    this.#current?.abort.abort();
    const abort = new AbortController();
    this.#open.add(abort);
    const heardToMs = Math.min(toMs + tailMs, this.#options.audio.atMs);
    const understood = this.#understand({ kind, fromMs, toMs: heardToMs }, abort.signal).then((answer) => {
      current.done = true;
      this.#open.delete(abort);
      return answer;
    });
    const current = { attempt: { kind, fromMs, toMs, heardToMs, understood }, abort, done: false };
    this.#current = current;
    return current.attempt;
  }

  async #understand({ kind, fromMs, toMs }: Span & Pick<Attempt, 'kind'>, signal: AbortSignal): Promise<Understood> {
    const { recogniser, owner, language, audio } = this.#options;
    if (!recogniser.supports(language)) return { type: 'failed', reason: 'language_unsupported' };
    try {
      const samples = audio.between(fromMs, toMs);
      return { type: 'transcript', transcript: await recogniser.transcribe({ owner, kind, samples, language, signal }) };
    } catch (error) {
      if (signal.aborted || (error instanceof Error && error.name === 'AbortError')) return { type: 'dropped' };
      const unsupported = error instanceof SpeechUnavailable && error.code === 'language_unsupported';
      return { type: 'failed', reason: unsupported ? 'language_unsupported' : 'unavailable' };
    }
  }
}
