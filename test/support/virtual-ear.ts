import { setImmediate as nextTick } from 'node:timers/promises';
import type { Locale } from '@virtual-tutor/schemas';
import { createEar, type Ear, type EarEvent } from '../../packages/engine/src/listening/ear.ts';
import type { Recogniser, RecognitionRequest } from '../../packages/engine/src/listening/recogniser.ts';
import { type AudioDecoder, listeningRate, type Transcript, type Vad } from '../../packages/engine/src/media/ports.ts';
import { asInt16 } from '../../packages/engine/src/media/resample.ts';

export type HeardEvent = EarEvent & { readonly atMs: number };

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

interface Pending {
  readonly dueMs: number;
  readonly settle: () => void;
}

/** How much audio a step brings, ms: what a packet holds. */
const stepMs = 20;

/**
 * An ear on a clock of its own, which stands still while machines think: a recogniser's answer comes when
 * as much virtual time has passed as it took. So a recording is heard faster than it was spoken, and a
 * busy machine changes nothing.
 */
export class VirtualEar {
  readonly ear: Ear;
  readonly events: HeardEvent[] = [];
  nowMs = 1_000_000;
  #timers: Timer[] = [];
  #thinking = 0;
  #pending: Pending[] = [];
  #listening = 0;

  constructor(options: {
    readonly vad: Vad;
    readonly recogniser: Pick<Recogniser, 'transcribe' | 'supports'>;
    readonly language?: Locale;
    readonly decoder?: AudioDecoder;
    /** How long an answer takes, ms; default: as long as it took. */
    readonly asrMs?: number;
  }) {
    const { vad, recogniser } = options;
    let ids = 0;
    this.ear = createEar({
      owner: 'student',
      language: options.language ?? 'en',
      recogniser: {
        supports: (language) => recogniser.supports(language),
        transcribe: (request) => this.#transcribe(recogniser, request, options.asrMs),
      },
      vad: {
        frameSamples: vad.frameSamples,
        reset: () => vad.reset(),
        probability: async (frame) => {
          this.#listening += 1;
          try {
            return await vad.probability(frame);
          } finally {
            this.#listening -= 1;
          }
        },
      },
      decoder: options.decoder ?? { decode: () => new Int16Array(0), [Symbol.dispose]() {} },
      clock: {
        now: () => this.nowMs,
        after: (ms, run) => {
          const timer = { atMs: this.nowMs + ms, run };
          this.#timers.push(timer);
          return () => {
            this.#timers = this.#timers.filter((one) => one !== timer);
          };
        },
      },
      newId: () => `utterance-${++ids}`,
      onEvent: (event) => this.events.push({ ...event, atMs: this.nowMs }),
    });
  }

  /** Plays a recording into the microphone, in real time of the virtual clock. */
  async hear(samples: Float32Array): Promise<void> {
    const pcm = asInt16(samples);
    const step = (stepMs * listeningRate) / 1_000;
    for (let at = 0; at < pcm.length; at += step) await this.step(() => this.ear.pcm(pcm.slice(at, at + step)));
  }

  /** Time passes, without audio. */
  async wait(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) await this.step(() => {});
  }

  async step(happen: () => void): Promise<void> {
    this.nowMs += stepMs;
    happen();
    const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.nowMs);
    for (const { run } of due) run();
    await this.#settled();
    const answered = this.#pending.filter(({ dueMs }) => dueMs <= this.nowMs);
    this.#pending = this.#pending.filter(({ dueMs }) => dueMs > this.nowMs);
    for (const { settle } of answered) settle();
    if (answered.length > 0) await this.#settled();
  }

  of<T extends EarEvent['type']>(type: T): readonly Extract<HeardEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<HeardEvent, { type: T }> => event.type === type);
  }

  async #settled(): Promise<void> {
    do await nextTick();
    while (this.#thinking > 0 || this.#listening > 0);
    await nextTick();
  }

  async #transcribe(
    recogniser: Pick<Recogniser, 'transcribe'>,
    request: RecognitionRequest,
    asrMs: number | undefined,
  ): Promise<Transcript> {
    const began = performance.now();
    const startMs = this.nowMs;
    this.#thinking += 1;
    const [answer] = await Promise.allSettled([recogniser.transcribe(request)]);
    this.#thinking -= 1;
    const tookMs = asrMs ?? performance.now() - began;
    const due = Promise.withResolvers<void>();
    this.#pending.push({ dueMs: startMs + tookMs, settle: due.resolve });
    const aborted = Promise.withResolvers<never>();
    request.signal.addEventListener('abort', () => aborted.reject(new DOMException('aborted', 'AbortError')), { once: true });
    await Promise.race([due.promise, aborted.promise]);
    if (answer.status === 'rejected') throw answer.reason;
    return answer.value;
  }
}
