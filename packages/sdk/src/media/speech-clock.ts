import type { Captions, Signal } from '../media-contract.ts';
import { noCaptions } from './at-rest.ts';
import { emptyTrack, type Playhead, played, sameCaptions, type TextOf, told } from './caption-track.ts';

/** How often the browser is asked how far it has played, ms: a syllable is longer. */
const lookMs = 40;
/** Between two looks the playhead goes on by itself, up to so far, ms. */
const coastMs = 120;
const rtpRange = 2 ** 32;

export interface SpeechClockOptions {
  /** RTP timestamp being played; null: the browser does not say. */
  readonly playedRtp: () => number | null;
  readonly textOf: TextOf;
  readonly onCaptions: (captions: Captions) => void;
}

/** Puts words to the tutor's voice as the browser plays it. Runs only while there is something to say. */
export class SpeechClock {
  readonly #options: SpeechClockOptions;
  #track = emptyTrack;
  #captions = noCaptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #newest: { readonly rtpTimestamp: number; readonly atMs: number } | null = null;

  constructor(options: SpeechClockOptions) {
    this.#options = options;
  }

  get captions(): Captions {
    return this.#captions;
  }

  tell(signal: Signal): void {
    this.#track = told(this.#track, signal, performance.now());
    this.#look();
    if (this.#track.stretches.length > 0) this.#timer ??= setInterval(() => this.#look(), lookMs);
  }

  close(): void {
    this.#rest();
    this.#newest = null;
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const { track, captions } = played(this.#track, this.#playhead(), this.#options.textOf);
    this.#track = track;
    if (track.stretches.length === 0) this.#rest();
    if (sameCaptions(captions, this.#captions)) return;
    this.#captions = captions;
    this.#options.onCaptions(captions);
  }

  /** The browser's word comes in steps; in between, and over a lost packet, time goes on. */
  #playhead(): Playhead {
    const nowMs = performance.now();
    // Between two connections nothing is played: the words stand still where the voice does.
    const rtpTimestamp = this.#options.playedRtp() ?? this.#newest?.rtpTimestamp ?? null;
    if (rtpTimestamp === null) return { rtpTimestamp: null, nowMs };
    if (this.#newest?.rtpTimestamp !== rtpTimestamp) this.#newest = { rtpTimestamp, atMs: nowMs };
    const coasted = Math.min(coastMs, nowMs - this.#newest.atMs);
    return { rtpTimestamp: (rtpTimestamp + Math.round(coasted * 48)) % rtpRange, nowMs };
  }
}
