import { type CommandHost, Commands } from './commands.ts';
import type { Grant, SessionView, Turn } from './contract.ts';
import { aborted, asTutorError, TutorError } from './errors.ts';
import { LiveTurn } from './turn.ts';
import { uuidv7 } from './uuid.ts';
import { findMessage } from './view.ts';

export interface ConversationHost extends CommandHost {
  readonly sessionId: string;
  view(): SessionView;
  /** A message did not get into the log. */
  readonly onRefused: (error: TutorError) => void;
}

export interface SendOptions {
  readonly signal?: AbortSignal;
  readonly clientMessageId?: string;
}

/** Longest message, characters (UTF-16 code units). */
export const maxMessageLength = 4_000;

/** What the student does in a lesson. */
export class Conversation {
  readonly #host: ConversationHost;
  readonly #commands: Commands;

  constructor(host: ConversationHost) {
    this.#host = host;
    this.#commands = new Commands(host);
  }

  send(text: string, { signal, clientMessageId = uuidv7() }: SendOptions): Turn {
    const turn = new LiveTurn(clientMessageId, {
      changes: this.#host.changes,
      find: (id) => findMessage(this.#host.view(), id),
      failure: () => this.#host.failure(),
      interrupt: (turnId) => this.interrupt(turnId),
    });
    if (signal !== undefined) leaveOnAbort(turn, signal);
    this.#deliver(text, clientMessageId, signal)
      .then((turnId) => turn.acknowledge(turnId))
      .catch((thrown: unknown) => {
        const error = asTutorError(thrown);
        // Whatever the answer was lost to: what the log has was sent.
        const known = findMessage(this.#host.view(), clientMessageId);
        if (known !== undefined) return turn.acknowledge(known.turnId);
        turn.refuse(error);
        if (error.code !== 'aborted') this.#host.onRefused(error);
      });
    return turn;
  }

  /** Undefined: whichever reply is under way. */
  async interrupt(turnId: string | undefined): Promise<void> {
    const { sessionId, closing } = this.#host;
    await this.#commands.run(async (link, losses) => {
      try {
        await link.interrupt({ sessionId, turnId }, closing);
      } catch (error) {
        // The engine did it, and the answer was lost with the connection.
        if (losses === 0 || !TutorError.is(error) || error.code !== 'nothing_to_interrupt') throw error;
      }
    });
  }

  renewToken(): Promise<Grant> {
    const { sessionId, closing } = this.#host;
    return this.#commands.run((link) => link.renewToken(sessionId, closing));
  }

  async #deliver(text: string, clientMessageId: string, signal: AbortSignal | undefined): Promise<string> {
    const { length } = text.trim();
    // Checked here too: a frame above the engine's limit would cost the connection.
    if (length === 0 || length > maxMessageLength) {
      throw new TutorError('invalid_input', `text: write 1 to ${maxMessageLength} characters`);
    }
    const { sessionId, closing } = this.#host;
    return this.#commands.run(async (link) => {
      const known = findMessage(this.#host.view(), clientMessageId);
      if (known !== undefined) return known.turnId;
      if (signal?.aborted === true) throw aborted(signal.reason);
      return (await link.send({ sessionId, clientMessageId, text: text.trim() }, closing)).turnId;
    });
  }
}

/** An abort stops the readers at once, and the tutor as soon as she can be reached. */
function leaveOnAbort(turn: LiveTurn, signal: AbortSignal): void {
  const onAbort = () => {
    turn.leave(aborted(signal.reason));
    turn.cancel().catch(() => {});
  };
  if (signal.aborted) {
    onAbort();
    return;
  }
  signal.addEventListener('abort', onAbort);
  void turn.settled().then(() => signal.removeEventListener('abort', onAbort));
}
