import type { Changes } from '../changes.ts';
import { type Command, Commands } from '../commands.ts';
import type { TutorError } from '../errors.ts';
import type { Link } from '../link.ts';
import type { WebrtcConfig } from '../media-contract.ts';
import { within } from '../waiting.ts';

/** What of a lesson its media needs. */
export interface MediaHost {
  readonly sessionId: string;
  readonly changes: Changes;
  link(): Link | null;
  failure(): TutorError | null;
  /** Aborted when the session is closed. */
  readonly closing: AbortSignal;
  /** A sentence as it was written; undefined: not known yet. */
  textOf(turnId: string, index: number): string | undefined;
  readonly onListenerError: (error: unknown) => void;
}

/** ms for one answer, waiting for a link included. */
const answerMs = 10_000;

/** The engine's side of a media connection, over whichever link there is. */
export class MediaCalls {
  readonly #host: MediaHost;

  constructor(host: MediaHost) {
    this.#host = host;
  }

  config(signal: AbortSignal): Promise<WebrtcConfig> {
    return this.#run(signal, (cut) => (link) => link.mediaConfig(this.#host.sessionId, cut));
  }

  async negotiate({ peerId, offer }: { readonly peerId: string; readonly offer: string }, signal: AbortSignal): Promise<string> {
    const { sessionId } = this.#host;
    const { answer } = await this.#run(signal, (cut) => (link) => link.negotiate({ sessionId, peerId, offer }, cut));
    return answer;
  }

  commit(): Promise<void> {
    const { sessionId, closing } = this.#host;
    return this.#run(closing, (cut) => (link) => link.commitAudio(sessionId, cut));
  }

  /** Not in a row with the lesson's own commands: media does not wait for a message to be taken. */
  #run<T>(signal: AbortSignal, command: (cut: AbortSignal) => Command<T>): Promise<T> {
    return within({ signals: [signal, this.#host.closing], timeoutMs: answerMs }, (cut) =>
      new Commands({ ...this.#host, link: () => this.#host.link(), failure: () => this.#host.failure(), closing: cut }).run(command(cut)),
    );
  }
}
