import { frameMs, type Utterable } from './playout.ts';
import type { SpeechChunk } from './protocol.ts';

/** Packets of one chunk: 100 ms. */
const packetsPerChunk = 5;

/** Speech for a client without WebRTC: Opus packets in chunks, with the mouth of each sentence in its first. */
export class SpeechStream {
  readonly #emit: (chunk: SpeechChunk) => void;
  #on = false;
  #sentence: Utterable | null = null;
  #atMs = 0;
  #packets: Uint8Array[] = [];
  #first = true;

  constructor(emit: (chunk: SpeechChunk) => void) {
    this.#emit = emit;
  }

  get on(): boolean {
    return this.#on;
  }

  set on(on: boolean) {
    this.#on = on;
    if (!on) this.drop();
  }

  begin(sentence: Utterable, fromMs: number): void {
    this.flush();
    this.#sentence = sentence;
    this.#atMs = fromMs;
    this.#first = true;
  }

  push(packet: Uint8Array): void {
    if (!this.#on) return;
    this.#packets.push(packet);
    if (this.#packets.length >= packetsPerChunk) this.flush();
  }

  flush(): void {
    if (this.#sentence === null || this.#packets.length === 0) return;
    const { turnId, index, speech } = this.#sentence;
    this.#emit({ turnId, index, atMs: this.#atMs, packets: this.#packets, visemes: this.#first ? speech.visemes : [] });
    this.#atMs += this.#packets.length * frameMs;
    this.#packets = [];
    this.#first = false;
  }

  /** What was not sent is not wanted any more. */
  drop(): void {
    this.#packets = [];
  }
}
