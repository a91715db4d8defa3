import type { SessionId, StreamName, TurnId } from '@virtual-tutor/schemas';
import { streams } from '@virtual-tutor/schemas';
import type { ReplyFact } from '../domain/session.ts';
import { sessions } from './aggregates.ts';
import type { CommandContext, Handle } from './handle.ts';
import { commandIdOf } from './ids.ts';

/** How long a reply goes on in memory while the log is unreachable, before its host gives it up. */
export const factPatienceMs = 60_000;

export interface FactQueueOptions {
  readonly handle: Handle;
  readonly sessionId: SessionId;
  readonly turnId: TurnId;
  readonly epoch: number;
  readonly context: CommandContext;
  /** The log refused a fact: the turn was closed or another host took it over. Told once. */
  readonly onRefused: () => void;
  /** The log stayed unreachable, or something is broken. Told once. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Facts of one reply on their way into the log: in order, and all that wait go together, so that a
 * fast model costs few commits and a slow log holds up nothing but itself.
 */
export class FactQueue {
  readonly #options: FactQueueOptions;
  readonly #stream: StreamName;
  #waiting: ReplyFact[] = [];
  #flushing: Promise<void> | null = null;
  #batches = 0;
  #over = false;

  constructor(options: FactQueueOptions) {
    this.#options = options;
    this.#stream = streams.session(options.sessionId);
  }

  push(fact: ReplyFact): void {
    if (this.#over) return;
    this.#waiting.push(fact);
    this.#flushing ??= this.#flush();
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#flushing !== null) await this.#flushing;
  }

  async #flush(): Promise<void> {
    // Facts of the same tick travel together.
    await Promise.resolve();
    while (this.#waiting.length > 0 && !this.#over) {
      const facts = this.#waiting;
      this.#waiting = [];
      await this.#append(facts);
    }
    this.#flushing = null;
  }

  async #append(facts: readonly ReplyFact[]): Promise<void> {
    const { handle, turnId, epoch, context, onRefused, onFailed } = this.#options;
    this.#batches += 1;
    try {
      const handled = await handle.handle({
        aggregate: sessions,
        stream: this.#stream,
        commands: () => facts.map((fact) => ({ ...fact, turnId, epoch })),
        context: {
          ...context,
          commandId: commandIdOf('facts', turnId, String(epoch), String(this.#batches)),
          patienceMs: factPatienceMs,
        },
      });
      if (handled.status === 'done') return;
      this.#over = true;
      onRefused();
    } catch (error) {
      this.#over = true;
      onFailed(error);
    }
  }
}
