import { listeningRate } from '../media/ports.ts';

const samplesPerMs = listeningRate / 1_000;

/** The audio of the utterance in the making, by time. Whoever pushes also lets go. */
export class RecentAudio {
  #chunks: Float32Array[] = [];
  /** Where the first chunk begins, and where the last one ends, samples from the beginning of all. */
  #from = 0;
  #to = 0;

  /** Where the newest sample ends, ms. */
  get atMs(): number {
    return this.#to / samplesPerMs;
  }

  /** `chunk` is kept, not copied. */
  push(chunk: Float32Array): void {
    this.#chunks.push(chunk);
    this.#to += chunk.length;
  }

  forgetBefore(ms: number): void {
    const end = ms * samplesPerMs;
    let count = 0;
    for (const chunk of this.#chunks) {
      if (this.#from + chunk.length > end) break;
      this.#from += chunk.length;
      count += 1;
    }
    this.#chunks.splice(0, count);
  }

  /** A copy of what is still there of this time. */
  between(fromMs: number, toMs: number): Float32Array {
    const from = Math.max(this.#from, Math.round(fromMs * samplesPerMs));
    const to = Math.min(this.#to, Math.round(toMs * samplesPerMs));
    const out = new Float32Array(Math.max(0, to - from));
    let at = this.#from;
    for (const chunk of this.#chunks) {
      const first = Math.max(0, from - at);
      const last = Math.min(chunk.length, to - at);
      if (first < last) out.set(chunk.subarray(first, last), at + first - from);
      at += chunk.length;
    }
    return out;
  }
}
