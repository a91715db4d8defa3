import { Changes } from './changes.ts';
import { Commands } from './commands.ts';
import type {
  ConnectionState,
  EndReason,
  Grant,
  ReconnectPolicy,
  SessionEvents,
  SessionView,
  Turn,
  TurnEvent,
  TutorSession,
} from './contract.ts';
import { Emitter } from './emitter.ts';
import { aborted, asTutorError, TutorError } from './errors.ts';
import { emptyFeed, type FeedState, openFeed, receive, resubscribed, resumePoint } from './feed.ts';
import type { FeedItem } from './feed-item.ts';
import type { Link, OpenLink } from './link.ts';
import { stayConnected } from './stay-connected.ts';
import { LiveTurn } from './turn.ts';
import { lessonEvents } from './turn-events.ts';
import { uuidv7 } from './uuid.ts';
import { findMessage } from './view.ts';

export interface LessonOptions {
  readonly sessionId: string;
  readonly token: string | (() => Promise<string>);
  readonly open: OpenLink;
  readonly reconnect: ReconnectPolicy;
  readonly resume?: { readonly lastEventId: string; readonly view: SessionView } | undefined;
  /** Runs `tell` a little later, so that many changes make one `view` event; returns how to call it off. */
  readonly soon: (tell: () => void) => () => void;
}

/** Longest message, characters (UTF-16 code units). */
export const maxMessageLength = 4_000;

/** One lesson over whatever links there are. */
export class Lesson implements TutorSession {
  readonly id: string;
  readonly chat: TutorSession['chat'];
  readonly #emitter: Emitter<SessionEvents>;
  readonly #changes = new Changes();
  readonly #closing = new AbortController();
  readonly #commands: Commands;
  readonly #soon: LessonOptions['soon'];
  readonly #traces = new Set<Promise<void>>();
  readonly #done: Promise<void>;
  #token: LessonOptions['token'];
  #feed: FeedState;
  #link: Link | null = null;
  #state: ConnectionState = 'connecting';
  #failure: TutorError | null = null;
  #callOff: (() => void) | null = null;

  constructor(options: LessonOptions) {
    const feed = openFeed(options.resume);
    if (feed === null) throw new TutorError('invalid_input', 'resume.lastEventId is not a feed id');
    this.id = options.sessionId;
    this.chat = { send: (text, sendOptions = {}) => this.#send(text, sendOptions) };
    this.#feed = feed;
    this.#token = options.token;
    this.#soon = options.soon;
    this.#emitter = new Emitter((error) => this.#onListenerError(error));
    this.#commands = new Commands({
      changes: this.#changes,
      link: () => this.#link,
      failure: () => this.#failure,
      closing: this.#closing.signal,
    });
    this.#done = this.#live(options);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get lastEventId(): string | undefined {
    return resumePoint(this.#feed);
  }

  get view(): SessionView {
    return this.#feed.view;
  }

  /** Resolves when history is through; rejects when the session closed before. */
  async ready(): Promise<void> {
    while (!this.view.caughtUp) {
      if (this.#failure !== null) throw this.#failure;
      await this.#changes.next();
    }
  }

  async interrupt(): Promise<void> {
    await this.#interrupt(undefined);
  }

  async renewToken(): Promise<Grant> {
    const grant = await this.#commands.run((link) => link.renewToken(this.id, this.#closing.signal));
    if (typeof this.#token === 'string') this.#token = grant.token;
    return grant;
  }

  on<K extends keyof SessionEvents>(
    event: K,
    listener: (event: SessionEvents[K]) => void,
    options: { readonly signal?: AbortSignal } = {},
  ): () => void {
    return this.#emitter.on(event, listener, options.signal);
  }

  events(options: { readonly signal?: AbortSignal } = {}): AsyncIterable<TurnEvent> {
    return this.#eventsAfter(this.view, options.signal);
  }

  async close(): Promise<void> {
    this.#finish(aborted(), null);
    await this.#done;
    await Promise.all(this.#traces);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #live(options: LessonOptions): Promise<void> {
    try {
      await stayConnected({
        ...options,
        signal: this.#closing.signal,
        token: async () => (typeof this.#token === 'string' ? this.#token : await this.#token()),
        resumeFrom: () => {
          this.#feed = resubscribed(this.#feed);
          return resumePoint(this.#feed);
        },
        onItem: (id, item) => this.#onItem(id, item),
        onConnected: (link, resumed) => this.#onConnected(link, resumed),
        onLost: (error) => this.#onLost(error),
        onClosing: (closing) => this.#track(closing),
        isOver: () => this.view.ended !== null,
        startOver: () => this.#startOver(),
      });
      this.#finish(new TutorError('session_ended', 'the session has ended'), null);
    } catch (error) {
      const failure = asTutorError(error);
      this.#finish(failure, failure);
    }
  }

  #track(closing: Promise<void>): void {
    const trace = closing.catch(() => {}).finally(() => this.#traces.delete(trace));
    this.#traces.add(trace);
  }

  #onItem(id: string, item: FeedItem): void {
    const before = this.view;
    this.#feed = receive(this.#feed, id, item);
    const { view } = this;
    if (view === before) return;
    for (const event of lessonEvents(before, view)) this.#emitter.emit('turn', event);
    this.#changes.tell();
    this.#callOff ??= this.#soon(() => this.#tellView());
    if (view.ended !== null && before.ended === null) this.#onEnded(view.ended);
  }

  #onEnded(reason: EndReason): void {
    this.#emitter.emit('ended', { reason });
  }

  #tellView(): void {
    this.#callOff = null;
    this.#emitter.emit('view', this.view);
  }

  #onConnected(link: Link, resumed: SessionEvents['resumed']): void {
    const again = this.#state === 'reconnecting';
    this.#link = link;
    this.#enter('connected');
    if (again) this.#emitter.emit('resumed', resumed);
    this.#changes.tell();
  }

  #onLost(error: TutorError): void {
    this.#link = null;
    if (this.#state === 'connected') this.#enter('reconnecting', error);
  }

  /** Only before anything was shown: later it would mean that the log no longer knows what was. */
  #startOver(): boolean {
    if (this.view.caughtUp || this.#feed.revision === 0) return false;
    this.#feed = emptyFeed;
    return true;
  }

  #enter(state: ConnectionState, error?: TutorError): void {
    this.#state = state;
    this.#emitter.emit('state', error === undefined ? { state } : { state, error });
  }

  /** The end, once. `error`: what the owner should hear of; null when it is as it should be. */
  #finish(failure: TutorError, error: TutorError | null): void {
    if (this.#failure !== null) return;
    this.#failure = failure;
    this.#link = null;
    this.#closing.abort(failure);
    if (this.#callOff !== null) {
      this.#callOff();
      this.#tellView();
    }
    this.#enter('closed', error ?? undefined);
    if (error !== null) this.#emitter.emit('error', error);
    this.#changes.tell();
  }

  #send(text: string, options: { readonly signal?: AbortSignal; readonly clientMessageId?: string }): Turn {
    const { signal, clientMessageId = uuidv7() } = options;
    const turn = new LiveTurn(clientMessageId, {
      changes: this.#changes,
      find: (id) => findMessage(this.view, id),
      failure: () => this.#failure,
      interrupt: (turnId) => this.#interrupt(turnId),
    });
    const onAbort = () => {
      turn.leave(aborted(signal?.reason));
      turn.cancel().catch(() => {});
    };
    if (signal?.aborted === true) onAbort();
    else if (signal !== undefined) {
      signal.addEventListener('abort', onAbort);
      void turn.settled().then(() => signal.removeEventListener('abort', onAbort));
    }
    this.#deliver(text, clientMessageId, signal)
      .then((turnId) => turn.acknowledge(turnId))
      .catch((thrown: unknown) => {
        const error = asTutorError(thrown);
        // Whatever the answer was lost to: what the log has was sent.
        const known = findMessage(this.view, clientMessageId);
        if (known !== undefined) return turn.acknowledge(known.turnId);
        turn.refuse(error);
        if (error.code !== 'aborted') this.#emitter.emit('error', error);
      });
    return turn;
  }

  async #deliver(text: string, clientMessageId: string, signal: AbortSignal | undefined): Promise<string> {
    // Checked here too: a frame above the engine's limit would cost the connection.
    if (text.trim() === '' || text.length > maxMessageLength) {
      throw new TutorError('invalid_input', `text: write 1 to ${maxMessageLength} characters`);
    }
    const message = { sessionId: this.id, clientMessageId, text };
    return this.#commands.run(async (link) => {
      const known = findMessage(this.view, clientMessageId);
      if (known !== undefined) return known.turnId;
      if (signal?.aborted === true) throw aborted(signal.reason);
      return (await link.send(message, this.#closing.signal)).turnId;
    });
  }

  async #interrupt(turnId: string | undefined): Promise<void> {
    await this.#commands.run(async (link, losses) => {
      try {
        await link.interrupt({ sessionId: this.id, turnId }, this.#closing.signal);
      } catch (error) {
        // The engine did it, and the answer was lost with the connection.
        if (losses === 0 || !TutorError.is(error) || error.code !== 'nothing_to_interrupt') throw error;
      }
    });
  }

  async *#eventsAfter(view: SessionView, signal: AbortSignal | undefined): AsyncGenerator<TurnEvent, void, undefined> {
    for (let seen = view; ; ) {
      const now = this.view;
      if (seen !== now) {
        yield* lessonEvents(seen, now);
        seen = now;
        continue;
      }
      if (signal?.aborted === true) throw aborted(signal.reason);
      if (this.#failure !== null) {
        if (this.#failure.code === 'aborted' || this.#failure.code === 'session_ended') return;
        throw this.#failure;
      }
      await this.#changes.next(signal);
    }
  }

  #onListenerError(error: unknown): void {
    const failure = new TutorError('internal', 'a listener threw', { cause: error });
    // A listener of errors that itself throws cannot be told.
    if (!this.#reporting) {
      this.#reporting = true;
      this.#emitter.emit('error', failure);
      this.#reporting = false;
    }
  }

  #reporting = false;
}
