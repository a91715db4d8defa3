import type { Locale, TurnId } from '@virtual-tutor/schemas';
import type { Utterable } from './playout.ts';
import { type Speech, SpeechUnavailable } from './ports.ts';

export interface Sentence {
  readonly turnId: TurnId;
  readonly index: number;
  readonly text: string;
  readonly language: Locale;
}

/** Speaks a sentence as it was generated, Markdown and all. Throws `SpeechUnavailable`, or an `AbortError`. */
export type Say = (request: {
  readonly text: string;
  readonly language: Locale;
  readonly voice: string | null;
  readonly signal: AbortSignal;
}) => Promise<Speech>;

export interface SpeechLineOptions {
  readonly say: Say;
  readonly voice: string | null;
  /** False: enough is ready to be played; `pump` says when that has changed. */
  readonly hasRoom: () => boolean;
  readonly onSpoken: (sentence: Utterable) => void;
  readonly onUnspoken: (sentence: Sentence, code: string) => void;
}

/** Turns sentences into speech, one at a time and in order, a little ahead of what is played. */
export class SpeechLine {
  readonly #options: SpeechLineOptions;
  #waiting: Sentence[] = [];
  /** Turns follow each other: an older one sends nothing any more. */
  #stopped: TurnId | null = null;
  #current: { readonly sentence: Sentence; readonly abort: AbortController } | null = null;

  constructor(options: SpeechLineOptions) {
    this.#options = options;
  }

  /** Sentences of a turn that was stopped are dropped: some were on their way here when it was. */
  add(sentence: Sentence): void {
    if (sentence.turnId === this.#stopped) return;
    this.#waiting.push(sentence);
    this.pump();
  }

  /** Null: whatever waits, of any turn; more may follow. */
  stop(turnId: TurnId | null): void {
    this.#stopped = turnId ?? this.#stopped;
    const stopped = (sentence: Sentence) => turnId === null || sentence.turnId === turnId;
    this.#waiting = this.#waiting.filter((sentence) => !stopped(sentence));
    if (this.#current !== null && stopped(this.#current.sentence)) {
      this.#current.abort.abort();
      this.#current = null;
    }
    this.pump();
  }

  pump(): void {
    if (this.#current !== null || !this.#options.hasRoom()) return;
    const sentence = this.#waiting.shift();
    if (sentence === undefined) return;
    const current = { sentence, abort: new AbortController() };
    this.#current = current;
    const { say, voice } = this.#options;
    say({ text: sentence.text, language: sentence.language, voice, signal: current.abort.signal })
      .then(
        (speech) => this.#current === current && this.#options.onSpoken({ ...sentence, speech }),
        (error: unknown) => this.#current === current && this.#options.onUnspoken(sentence, codeOf(error)),
      )
      .finally(() => {
        if (this.#current !== current) return;
        this.#current = null;
        this.pump();
      });
  }
}

function codeOf(error: unknown): string {
  return error instanceof SpeechUnavailable ? error.code : 'crashed';
}
