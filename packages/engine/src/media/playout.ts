import type { TurnId } from '@virtual-tutor/schemas';
import { playoutRate, type Speech } from './ports.ts';
import type { HeardUpTo } from './protocol.ts';

/*
 * What one student hears, 20 ms at a time: the only clock of a session's audio, mouth and captions, and
 * the only judge of what was heard. No I/O and no timers; whoever owns it calls `advance` once per frame.
 */

export const frameMs = 20;
/** Samples of one frame at `playoutRate`. */
export const frameSamples = (playoutRate * frameMs) / 1000;
const samplesPerMs = playoutRate / 1000;

/** What is under way in the browser's jitter buffer and its loudspeaker, ms: sent, but not yet heard. */
const browserBufferMs = 100;
/** RTCP reports come about once a second; between two of them what was sent is taken as received, ms. */
const trustWithoutReportMs = 1_500;
/** A word that was cut by a hold is begun again unless it began longer ago than this, ms. */
const longestRewindMs = 600;
const fadeSamples = 240;

export interface Utterable {
  readonly turnId: TurnId;
  readonly index: number;
  readonly text: string;
  readonly speech: Speech;
}

interface Queued extends Utterable {
  readonly durationMs: number;
}

/** From this frame on, and until the next stretch, the audio is this sentence from `fromMs`. */
interface Stretch {
  readonly sentence: Queued;
  readonly fromFrame: number;
  readonly fromMs: number;
  /** Null while it is being played. */
  toFrame: number | null;
}

/** One frame on its way out. */
export interface PlayedFrame {
  /** Null: silence. */
  readonly samples: Int16Array | null;
  /** The sentence it is of; null at rest, and for the tail of one that was cut. */
  readonly sentence: Utterable | null;
  /** Where in that sentence the frame begins, ms. */
  readonly atMs: number;
}

export type PlayoutEvent =
  /** A sentence begins, or goes on after a pause; its ms `fromMs` is at audio frame `frame`. */
  | { readonly type: 'speech'; readonly sentence: Utterable; readonly durationMs: number; readonly frame: number; readonly fromMs: number }
  /** Heard to its end. */
  | { readonly type: 'heard'; readonly turnId: TurnId; readonly index: number; readonly durationMs: number }
  /** One more word was heard. */
  | { readonly type: 'progress'; readonly turnId: TurnId; readonly upTo: HeardUpTo }
  /** All that there was of this turn has been played; more may come. */
  | { readonly type: 'finished'; readonly turnId: TurnId };

export class Playout {
  readonly #emit: (event: PlayoutEvent) => void;
  readonly #queue: Queued[] = [];
  /** Oldest first; what may still be unheard. */
  #stretches: Stretch[] = [];
  #frame = 0;
  #playing: { readonly sentence: Queued; positionMs: number } | null = null;
  readonly #holds = new Set<string>();
  #fadeIn = false;
  /** This frame is of the sentence that plays. */
  #played = false;
  /** Turn of a sentence that has just been played to its end. */
  #ended: TurnId | null = null;
  /** Fades out what was cut, so that the cut does not click. */
  #tail: Int16Array | null = null;
  /** Newest frame that the browser is known to have, and when that was learnt (in frames). Null: reports are not expected. */
  #receipt: { readonly frame: number; readonly learntAt: number } | null = null;
  #reported: { readonly turnId: TurnId; readonly upTo: HeardUpTo } | null = null;

  constructor(emit: (event: PlayoutEvent) => void) {
    this.#emit = emit;
  }

  /** Frames so far: the RTP timestamp of the next one is `frame * frameSamples`. */
  get frame(): number {
    return this.#frame;
  }

  /** The tutor is heard now. */
  get audible(): boolean {
    return this.#playing !== null && this.#holds.size === 0;
  }

  /** Something is being played, held, or waits. */
  get busy(): boolean {
    return this.#playing !== null || this.#queue.length > 0;
  }

  /** What is being said, and about to be. */
  get saying(): string {
    const playing = this.#playing === null ? [] : [this.#playing.sentence];
    return [...playing, ...this.#queue].map(({ text }) => text).join(' ');
  }

  /** Sentences behind the one that is played. */
  get waiting(): number {
    return this.#queue.length;
  }

  get turnId(): TurnId | null {
    return (this.#playing?.sentence ?? this.#queue[0])?.turnId ?? null;
  }

  enqueue(sentence: Utterable): void {
    this.#queue.push({ ...sentence, durationMs: sentence.speech.samples.length / samplesPerMs });
  }

  /** Silence until the same reason releases it; true when the tutor was audible. */
  hold(reason: string): boolean {
    const was = this.audible;
    this.#holds.add(reason);
    if (was) this.#cut();
    return was;
  }

  get held(): { readonly turnId: TurnId; readonly index: number; readonly atMs: number } | null {
    if (this.#playing === null || this.#holds.size === 0) return null;
    const { sentence, positionMs } = this.#playing;
    return { turnId: sentence.turnId, index: sentence.index, atMs: positionMs };
  }

  /** Goes on with the word that was cut, once nobody holds it any more. */
  release(reason: string): void {
    if (!this.#holds.delete(reason) || this.#holds.size > 0 || this.#playing === null) return;
    const { sentence, positionMs } = this.#playing;
    const word = sentence.speech.words.findLast(({ startMs }) => startMs <= positionMs);
    const wordMs = word !== undefined && word.endMs > positionMs ? word.startMs : positionMs;
    this.#playing.positionMs = positionMs - wordMs <= longestRewindMs ? wordMs : positionMs;
    this.#fadeIn = true;
    this.#begin();
  }

  /** Nothing of this turn is played any more. Says how far it was heard; null: nothing of it was ever played. */
  stop(turnId: TurnId): HeardUpTo | null {
    const heard = this.#heardOf(turnId);
    this.#queue.splice(0, this.#queue.length, ...this.#queue.filter((sentence) => sentence.turnId !== turnId));
    if (this.#playing?.sentence.turnId === turnId) {
      if (this.audible) this.#cut();
      this.#playing = null;
      this.#played = false;
    }
    this.#stretches = this.#stretches.filter((stretch) => stretch.sentence.turnId !== turnId);
    return heard;
  }

  /** Goes back to where the browser last confirmed anything: what was lost with its connection is said again. */
  repeatUnconfirmed(): void {
    const confirmed = this.#receipt?.frame ?? this.#frame;
    const lost = this.#stretches.filter(({ toFrame }) => (toFrame ?? this.#frame) > confirmed);
    const first = lost[0];
    if (first === undefined) return;
    if (this.audible) this.#cut();
    const [sentence, ...others] = new Set(lost.map((stretch) => stretch.sentence));
    if (sentence === undefined) return;
    const positionMs = first.fromMs + Math.max(0, confirmed - first.fromFrame) * frameMs;
    first.toFrame = Math.max(first.fromFrame, confirmed);
    this.#stretches = this.#stretches.filter((stretch) => stretch === first || !lost.includes(stretch));
    this.#queue.unshift(...others);
    this.#playing = { sentence, positionMs };
    this.#played = false;
    this.#ended = null;
    if (this.audible) this.#begin();
  }

  /** `on`: from now on only what reports confirm counts as heard. Off: what was played counts. */
  expectReports(on: boolean): void {
    this.#receipt = on ? { frame: this.#frame, learntAt: this.#frame } : null;
  }

  /** The browser has this frame. */
  received(frame: number): void {
    if (this.#receipt === null || frame <= this.#receipt.frame) return;
    this.#receipt = { frame, learntAt: this.#frame };
  }

  /** Time since the browser last confirmed anything new while there was something to confirm, ms. */
  get unconfirmedMs(): number {
    return this.#receipt === null ? 0 : (this.#frame - this.#receipt.learntAt) * frameMs;
  }

  /** The clock jumped: this process was stopped for `frames`. */
  skip(frames: number): void {
    if (this.audible) this.#closeStretch();
    this.#tail = null;
    this.#frame += frames;
    if (this.audible) this.#begin();
  }

  /** The next 20 ms. */
  advance(): PlayedFrame {
    this.#finish();
    const samples = this.#next();
    const playing = samples === null ? null : this.#playing;
    const frame: PlayedFrame = {
      samples,
      sentence: playing?.sentence ?? null,
      atMs: playing?.positionMs ?? 0,
    };
    this.#move();
    this.#frame += 1;
    this.#hear();
    return frame;
  }

  #next(): Int16Array | null {
    if (this.#tail !== null) {
      const tail = this.#tail;
      this.#tail = null;
      return tail;
    }
    if (this.#holds.size > 0) return null;
    if (this.#playing === null && !this.#start()) return null;
    const playing = this.#playing;
    if (playing === null) return null;
    const { samples } = playing.sentence.speech;
    const from = Math.round(playing.positionMs * samplesPerMs);
    const frame = new Int16Array(frameSamples);
    frame.set(samples.subarray(from, from + frameSamples));
    if (this.#fadeIn) fadeIn(frame);
    this.#fadeIn = false;
    this.#played = true;
    return frame;
  }

  #move(): void {
    if (!this.#played || this.#playing === null) return;
    this.#played = false;
    this.#playing.positionMs += frameMs;
    const { sentence, positionMs } = this.#playing;
    if (positionMs < sentence.durationMs) return;
    const last = this.#stretches.at(-1);
    if (last !== undefined) last.toFrame = this.#frame + 1;
    this.#playing = null;
    this.#ended = sentence.turnId;
  }

  /** Told with the frame after the last, so that the last has gone out. */
  #finish(): void {
    const turnId = this.#ended;
    this.#ended = null;
    if (turnId !== null && !this.#queue.some((sentence) => sentence.turnId === turnId)) this.#emit({ type: 'finished', turnId });
  }

  #start(): boolean {
    const sentence = this.#queue.shift();
    if (sentence === undefined) return false;
    this.#playing = { sentence, positionMs: 0 };
    this.#begin();
    return true;
  }

  #begin(): void {
    if (this.#playing === null) return;
    const { sentence, positionMs: fromMs } = this.#playing;
    this.#stretches.push({ sentence, fromFrame: this.#frame, fromMs, toFrame: null });
    this.#emit({ type: 'speech', sentence, durationMs: sentence.durationMs, frame: this.#frame, fromMs });
  }

  #cut(): void {
    if (this.#playing === null) return;
    const from = Math.round(this.#playing.positionMs * samplesPerMs);
    this.#tail = fadedOut(this.#playing.sentence.speech.samples.subarray(from, from + fadeSamples));
    this.#closeStretch();
  }

  #closeStretch(): void {
    const last = this.#stretches.at(-1);
    if (last !== undefined) last.toFrame ??= this.#frame;
  }

  /** Up to which frame the student has heard. */
  #heardFrame(): number {
    const sent = this.#frame - browserBufferMs / frameMs;
    return this.#receipt === null ? sent : Math.min(sent, this.#receipt.frame + trustWithoutReportMs / frameMs);
  }

  #hear(): void {
    const heardFrame = this.#heardFrame();
    for (;;) {
      const oldest = this.#stretches[0];
      if (oldest === undefined || oldest.fromFrame > heardFrame) return;
      const over = oldest.toFrame !== null && oldest.toFrame <= heardFrame;
      this.#progress(oldest, heardFrame);
      if (!over) return;
      this.#stretches.shift();
      if (this.#stretches.some(({ sentence }) => sentence === oldest.sentence) || this.#playing?.sentence === oldest.sentence) continue;
      const { turnId, index, durationMs } = oldest.sentence;
      this.#emit({ type: 'heard', turnId, index, durationMs });
    }
  }

  #progress(stretch: Stretch, heardFrame: number): void {
    const { turnId } = stretch.sentence;
    const upTo = heardUpTo(stretch, heardFrame);
    const before = this.#reported;
    if (before?.turnId === turnId && !isBeyond(upTo, before.upTo)) return;
    this.#reported = { turnId, upTo };
    if (upTo.chars > 0) this.#emit({ type: 'progress', turnId, upTo });
  }

  #heardOf(turnId: TurnId): HeardUpTo | null {
    this.#hear();
    const heardFrame = this.#heardFrame();
    const stretch = this.#stretches.findLast(({ sentence, fromFrame }) => sentence.turnId === turnId && fromFrame <= heardFrame);
    const known = this.#reported?.turnId === turnId ? this.#reported.upTo : null;
    if (stretch === undefined) return known;
    const now = heardUpTo(stretch, heardFrame);
    return known !== null && isBeyond(known, now) ? known : now;
  }
}

function heardUpTo({ sentence, fromFrame, fromMs, toFrame }: Stretch, heardFrame: number): HeardUpTo {
  const frames = Math.min(heardFrame, toFrame ?? heardFrame) - fromFrame;
  const heardMs = Math.min(sentence.durationMs, fromMs + frames * frameMs);
  if (heardMs >= sentence.durationMs) return { index: sentence.index, chars: sentence.text.length, heardMs };
  const word = sentence.speech.words.findLast(({ endMs }) => endMs <= heardMs);
  return { index: sentence.index, chars: word?.to ?? 0, heardMs };
}

/** Words are what counts: progress within a word is none. */
function isBeyond(next: HeardUpTo, before: HeardUpTo): boolean {
  return next.index > before.index || (next.index === before.index && next.chars > before.chars);
}

function fadeIn(frame: Int16Array): void {
  for (let at = 0; at < fadeSamples; at += 1) frame[at] = Math.round(((frame[at] ?? 0) * at) / fadeSamples);
}

function fadedOut(samples: Int16Array): Int16Array {
  const frame = new Int16Array(frameSamples);
  for (let at = 0; at < samples.length; at += 1) frame[at] = Math.round(((samples[at] ?? 0) * (fadeSamples - at)) / fadeSamples);
  return frame;
}
