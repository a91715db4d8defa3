import type { ErrorCode, Locale, Passage, TutorSession } from './contract.ts';
import { TutorError } from './errors.ts';
import type { FeedItem } from './feed-item.ts';
import { Lesson } from './lesson.ts';
import type { FeedQuery, Link, SentMessage } from './link.ts';
import { ScriptedMedia, type ScriptedVoice } from './media/scripted-media.ts';
import { deferred } from './waiting.ts';

export type * from './contract.ts';
export { TutorError } from './errors.ts';
export type { ScriptedMediaControl, ScriptedVoice } from './media/scripted-media.ts';

export interface ScriptedReply {
  /** Sentences, each as the pieces it arrives in. */
  readonly sentences: readonly (string | readonly string[])[];
  readonly passages?: readonly Passage[];
  /** The reply stops before its end until this resolves: time for a test to interrupt it. */
  readonly hold?: Promise<void>;
  /** Fails with this code after its sentences. */
  readonly failure?: ErrorCode;
}

export interface Script {
  readonly sessionId?: string;
  readonly tutorName?: string;
  readonly greeting?: string;
  readonly locale?: Locale;
  readonly reply: (message: string) => ScriptedReply;
  /** Voice and face. Default: they connect at once. */
  readonly voice?: ScriptedVoice;
}

/** A `TutorSession` that answers from a script: no network, no clock, the same every time. */
export function scriptedSession(script: Script): TutorSession {
  const engine = new ScriptedTutor(script);
  return new Lesson({
    sessionId: script.sessionId ?? 'scripted-session',
    token: 'scripted-token',
    open: () => engine.link(),
    reconnect: { nextDelayMs: () => null },
    media: (host) => new ScriptedMedia(script.voice ?? {}, host.onListenerError),
    soon(tell) {
      let off = false;
      queueMicrotask(() => {
        if (!off) tell();
      });
      return () => {
        off = true;
      };
    },
  });
}

const unscripted = () => Promise.reject(new TutorError('media_unavailable', 'not in a script: say with `voice` what media does'));
const noWebrtc = {
  mediaConfig: unscripted,
  negotiate: unscripted,
  appendAudio: unscripted,
  commitAudio: unscripted,
  signals: unscripted,
  chunks: unscripted,
} satisfies Partial<Link>;

const at = '2026-01-01T00:00:00.000Z';

interface ReplyUnderWay {
  readonly turnId: string;
  readonly interrupted: AbortController;
  shown: string;
}

class ScriptedTutor {
  readonly #script: Script;
  readonly #turnIds = new Map<string, string>();
  #tell: FeedQuery['onItem'] = () => {};
  #revision = 0;
  #ordinal = 0;
  #reply: ReplyUnderWay | null = null;

  constructor(script: Script) {
    this.#script = script;
  }

  link(): Link {
    const down = new AbortController();
    const stopped = deferred<void>();
    return {
      down: down.signal,
      follow: async ({ onItem }) => {
        // After the caller has the session in hand and its listeners on.
        await Promise.resolve();
        this.#tell = onItem;
        const { tutorName = 'Tutor', greeting = '', locale = 'en' } = this.#script;
        this.#append({ type: 'sessionOpened', locale, tutorId: 'scripted-tutor', tutorName, greeting, at });
        onItem(`${this.#revision}.0`, { type: 'caughtUp' });
        return stopped.promise;
      },
      send: async (message) => this.#take(message),
      interrupt: async ({ turnId }) => this.#interrupt(turnId),
      renewToken: async (sessionId) => ({ sessionId, url: 'http://localhost', token: 'scripted-token', expiresAt: at }),
      ...noWebrtc,
      close: async () => {
        this.#reply?.interrupted.abort();
        down.abort(new TutorError('unavailable', 'closed'));
        stopped.resolve();
      },
    };
  }

  #append(item: FeedItem): void {
    this.#revision += 1;
    this.#tell(`${this.#revision}.0`, item);
  }

  #piece(item: FeedItem): void {
    this.#ordinal += 1;
    this.#tell(`${this.#revision}.${this.#ordinal}`, item);
  }

  #take({ clientMessageId, text }: SentMessage): { readonly turnId: string } {
    const known = this.#turnIds.get(clientMessageId);
    if (known !== undefined) return { turnId: known };
    if (this.#reply !== null) this.#interrupt(undefined);
    const turnId = `scripted-turn-${this.#turnIds.size + 1}`;
    this.#turnIds.set(clientMessageId, turnId);
    this.#append({ type: 'message', turnId, clientMessageId, modality: 'text', text, at });
    const reply = { turnId, interrupted: new AbortController(), shown: '' };
    this.#reply = reply;
    void this.#answer(reply, this.#script.reply(text));
    return { turnId };
  }

  async #answer(reply: ReplyUnderWay, { sentences, passages = [], hold, failure }: ScriptedReply): Promise<void> {
    const { turnId, interrupted } = reply;
    if (passages.length > 0) this.#append({ type: 'passages', turnId, passages });
    this.#append({ type: 'replyStarted', turnId, provider: 'scripted', model: 'scripted', fallback: null });
    for (const [index, sentence] of sentences.entries()) {
      const pieces = typeof sentence === 'string' ? [sentence] : sentence;
      for (const text of pieces) {
        await Promise.resolve();
        if (interrupted.signal.aborted) return;
        reply.shown += text;
        this.#piece({ type: 'delta', turnId, index, text });
      }
      this.#append({ type: 'sentence', turnId, index, text: pieces.join(''), citations: [] });
    }
    await hold;
    if (interrupted.signal.aborted) return;
    this.#reply = null;
    if (failure !== undefined) {
      this.#append({ type: 'replyFailed', turnId, code: failure, retryable: new TutorError(failure, '').retryable });
      return;
    }
    const timings = { asrMs: null, retrieveMs: 0, firstTokenMs: 0, firstAudioMs: null, firstFrameMs: null, totalMs: 0 };
    this.#append({ type: 'replyCompleted', turnId, sentences: sentences.length, usage: null, timings });
  }

  #interrupt(turnId: string | undefined): { readonly turnId: string } {
    const reply = this.#reply;
    if (reply === null || (turnId !== undefined && turnId !== reply.turnId)) {
      throw new TutorError('nothing_to_interrupt', 'no reply is under way');
    }
    this.#reply = null;
    reply.interrupted.abort();
    this.#append({ type: 'replyInterrupted', turnId: reply.turnId, by: 'student', heardText: reply.shown });
    return { turnId: reply.turnId };
  }
}
