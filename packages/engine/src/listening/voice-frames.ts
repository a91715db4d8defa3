import { listeningRate, type Vad } from '../media/ports.ts';

interface VoiceFramesEvents {
  /** `frame` is the listener's to keep. */
  onFrame(frame: Float32Array, probability: number): void;
  onCommit(): void;
  /** The voice detector failed; called once until it works again. */
  onFailure(): void;
}

/** Audio that waits for the voice detector: the oldest is dropped beyond this, samples (a burst of 30 s). */
const mostWaiting = 30 * listeningRate;

/** Cuts audio into the frames a voice detector takes, and takes them there one after another. */
export class VoiceFrames {
  readonly #vad: Vad;
  readonly #events: VoiceFramesEvents;
  #partial: Float32Array;
  #filled = 0;
  #waiting: (Float32Array | 'commit')[] = [];
  #pumping = false;
  #failing = false;
  #closed = false;

  constructor(vad: Vad, events: VoiceFramesEvents) {
    this.#vad = vad;
    this.#events = events;
    this.#partial = new Float32Array(vad.frameSamples);
  }

  push(samples: Float32Array): void {
    for (let at = 0; at < samples.length; ) {
      const taken = samples.subarray(at, at + this.#partial.length - this.#filled);
      this.#partial.set(taken, this.#filled);
      this.#filled += taken.length;
      at += taken.length;
      if (this.#filled === this.#partial.length) this.#complete();
    }
    void this.#pump();
  }

  /** After everything pushed so far; a frame in the making is filled with silence. */
  commit(): void {
    if (this.#filled > 0) {
      this.#partial.fill(0, this.#filled);
      this.#complete();
    }
    this.#waiting.push('commit');
    void this.#pump();
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
  }

  #complete(): void {
    this.#waiting.push(this.#partial);
    this.#partial = new Float32Array(this.#vad.frameSamples);
    this.#filled = 0;
    if (this.#waiting.length * this.#vad.frameSamples > mostWaiting) this.#waiting.shift();
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (next === 'commit') this.#events.onCommit();
      else {
        const probability = await this.#probability(next);
        if (this.#closed) break;
        this.#events.onFrame(next, probability);
      }
    }
    this.#pumping = false;
  }

  async #probability(frame: Float32Array): Promise<number> {
    try {
      const probability = await this.#vad.probability(frame);
      this.#failing = false;
      return probability;
    } catch {
      if (!this.#failing && !this.#closed) this.#events.onFailure();
      this.#failing = true;
      return 0;
    }
  }
}

/** RMS, dB below full scale; -120 for silence. */
export function levelOf(frame: Float32Array): number {
  let sum = 0;
  for (const sample of frame) sum += sample * sample;
  return Math.max(-120, 10 * Math.log10(sum / frame.length));
}
