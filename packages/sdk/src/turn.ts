import type { Changes } from './changes.ts';
import type { Turn, TurnEvent, ViewedTurn } from './contract.ts';
import { TutorError } from './errors.ts';
import { turnEvents } from './turn-events.ts';
import { turnIsOver } from './view.ts';
import { type Deferred, deferred } from './waiting.ts';

export interface TurnHost {
  /** Tells when one of the following may have changed. */
  readonly changes: Changes;
  find(clientMessageId: string): ViewedTurn | undefined;
  /** Why nothing more will come; null while the session lives. */
  failure(): TutorError | null;
  interrupt(turnId: string): Promise<void>;
}

/** A message on its way and the reply to it: a reader over the lesson's view, so that reading late loses nothing. */
export class LiveTurn implements Turn {
  readonly clientMessageId: string;
  readonly #host: TurnHost;
  readonly #id: Deferred<string> = deferred();
  #failure: TutorError | null = null;

  constructor(clientMessageId: string, host: TurnHost) {
    this.clientMessageId = clientMessageId;
    this.#host = host;
  }

  get id(): Promise<string> {
    return this.#id.promise;
  }

  get isOver(): boolean {
    const turn = this.#host.find(this.clientMessageId);
    return turn !== undefined && turnIsOver(turn);
  }

  /** Resolves when it is over, for whatever reason. */
  async settled(): Promise<void> {
    await this.#finished().catch(() => {});
  }

  /** The log has the message. */
  acknowledge(turnId: string): void {
    this.#id.resolve(turnId);
  }

  /** The message did not get into the log. */
  refuse(error: TutorError): void {
    this.#id.reject(error);
    this.leave(error);
  }

  /** Readers are to stop, whatever becomes of the turn. */
  leave(error: TutorError): void {
    this.#failure ??= error;
    this.#host.changes.tell();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TurnEvent, void, undefined> {
    let seen: ViewedTurn | undefined;
    try {
      for (;;) {
        const turn = this.#host.find(this.clientMessageId);
        const events = turn === undefined ? [] : turnEvents(seen, turn);
        seen = turn;
        // Even `yield*` of nothing lets time pass, in which a change would go unseen.
        if (events.length > 0) yield* events;
        if (turn !== undefined && turnIsOver(turn)) return;
        if (events.length === 0) await this.#change();
      }
    } finally {
      // Whoever leaves early does not want the rest; a failure of this reaches the session's `error` listeners.
      if (!this.isOver && this.#failure === null) this.cancel().catch(() => {});
    }
  }

  async text(): Promise<string> {
    const turn = await this.#finished();
    if (turn.failure !== null) throw new TutorError(turn.failure.code, 'the tutor could not reply', turn.failure);
    return turn.reply;
  }

  async cancel(): Promise<void> {
    const turnId = await this.id;
    if (this.isOver) return;
    await this.#host.interrupt(turnId).catch((error: unknown) => {
      // It ended by itself in the meantime.
      if (!TutorError.is(error) || error.code !== 'nothing_to_interrupt') throw error;
    });
    await this.#finished();
  }

  async #finished(): Promise<ViewedTurn> {
    for (;;) {
      const turn = this.#host.find(this.clientMessageId);
      if (turn !== undefined && turnIsOver(turn)) return turn;
      await this.#change();
    }
  }

  async #change(): Promise<void> {
    const failure = this.#failure ?? this.#host.failure();
    if (failure !== null) throw failure;
    await this.#host.changes.next();
  }
}
