import { planBatch, type WantedFrame } from './batch-plan.ts';

/* Runs the inferences that `planBatch` puts together, one at a time, for all speaking sessions. */

export type FrameOutcome<Output> =
  | { readonly status: 'drawn'; readonly output: Output }
  /** Show the idle frame; the voice goes on. */
  | { readonly status: 'late' }
  | { readonly status: 'failed'; readonly error: unknown };

export interface BatcherOptions<Input, Output> {
  /** As many outputs as inputs, in their order. */
  readonly infer: (inputs: readonly Input[]) => Promise<readonly Output[]>;
  /** As the self-test measured it. */
  readonly cost: { readonly baseMs: number; readonly perFrameMs: number };
  readonly nowMs: () => number;
  /** Default 16. */
  readonly mostFrames?: number;
}

interface Waiting<Input, Output> extends WantedFrame {
  readonly input: Input;
  readonly settle: (outcome: FrameOutcome<Output>) => void;
}

/** A second of frames; what is wanted further ahead loses its oldest. */
const mostWaitingPerSession = 25;
/** Of a measurement in the estimate. */
const measurementPart = 0.3;
/** While nothing can be in time nothing is measured either: the estimate falls back by this, until something is tried. */
const forgetting = 0.9;

export class FrameBatcher<Input, Output> {
  readonly #options: BatcherOptions<Input, Output>;
  #waiting: readonly Waiting<Input, Output>[] = [];
  readonly #missed = new Map<string, number>();
  /** How much slower than the self-test inferences are now. */
  #pace = 1;
  #running = false;

  constructor(options: BatcherOptions<Input, Output>) {
    this.#options = options;
  }

  /** Frames of a session are asked for in their order. */
  want(frame: WantedFrame & { readonly input: Input }): Promise<FrameOutcome<Output>> {
    return new Promise((settle) => {
      const own = this.#waiting.filter(({ sessionId }) => sessionId === frame.sessionId);
      const [oldest] = own;
      if (oldest !== undefined && own.length >= mostWaitingPerSession) this.#lose([oldest]);
      this.#waiting = [...this.#waiting, { ...frame, settle }];
    });
  }

  /** The session fell silent or went away: what it still wanted is late. */
  leave(sessionId: string): void {
    this.#lose(this.#waiting.filter((frame) => frame.sessionId === sessionId));
    this.#missed.delete(sessionId);
  }

  /** Call it every 40 ms; while an inference runs it does nothing. Settles when its inference is done. */
  async tick(): Promise<void> {
    if (this.#running || this.#waiting.length === 0) return;
    const { nowMs, mostFrames = 16 } = this.#options;
    const costMs = (frames: number) => this.#pace * this.#testedMs(frames);
    const { batch, late } = planBatch(this.#waiting, {
      nowMs: nowMs(),
      mostFrames,
      costMs,
      missed: (sessionId) => this.#missed.get(sessionId) ?? 0,
    });
    this.#lose(late);
    if (batch.length === 0) {
      this.#pace = Math.max(1, this.#pace * forgetting);
      return;
    }
    const chosen = new Set(batch);
    this.#waiting = this.#waiting.filter((frame) => !chosen.has(frame));
    for (const { sessionId } of batch) this.#missed.delete(sessionId);
    this.#running = true;
    try {
      await this.#run(batch);
    } finally {
      this.#running = false;
    }
  }

  async #run(batch: readonly Waiting<Input, Output>[]): Promise<void> {
    const { infer, nowMs } = this.#options;
    const startedMs = nowMs();
    try {
      const outputs = await infer(batch.map(({ input }) => input));
      const tookMs = nowMs() - startedMs;
      this.#pace += measurementPart * (tookMs / this.#testedMs(batch.length) - this.#pace);
      for (const [index, { settle, deadlineMs }] of batch.entries()) {
        const output = outputs[index];
        if (output === undefined) settle({ status: 'failed', error: new Error('the inference gave fewer frames than it was asked for') });
        else settle(nowMs() > deadlineMs ? { status: 'late' } : { status: 'drawn', output });
      }
    } catch (error) {
      for (const { settle } of batch) settle({ status: 'failed', error });
    }
  }

  #testedMs(frames: number): number {
    const { baseMs, perFrameMs } = this.#options.cost;
    return baseMs + perFrameMs * frames;
  }

  #lose(frames: readonly Waiting<Input, Output>[]): void {
    const lost = new Set(frames);
    this.#waiting = this.#waiting.filter((frame) => !lost.has(frame));
    for (const { sessionId, settle } of frames) {
      this.#missed.set(sessionId, (this.#missed.get(sessionId) ?? 0) + 1);
      settle({ status: 'late' });
    }
  }
}
