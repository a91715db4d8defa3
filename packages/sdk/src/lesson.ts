import { Changes } from './changes.ts';
import type {
  ConnectionState,
  EndReason,
  Grant,
  MediaChunk,
  ReconnectPolicy,
  SessionEvents,
  SessionView,
  Signal,
  TurnEvent,
  TutorMedia,
  TutorSession,
} from './contract.ts';
import { Conversation } from './conversation.ts';
import { Emitter } from './emitter.ts';
import { aborted, asTutorError, TutorError } from './errors.ts';
import { emptyFeed, type FeedState, openFeed, receive, resubscribed, resumePoint } from './feed.ts';
import type { FeedItem } from './feed-item.ts';
import type { Link, OpenLink } from './link.ts';
import { type LiveSource, liveItems } from './live-items.ts';
import type { LessonMedia } from './media/live-media.ts';
import type { MediaHost } from './media/media-link.ts';
import { spokenAudio } from './spoken-audio.ts';
import { stayConnected } from './stay-connected.ts';
import { lessonEvents } from './turn-events.ts';
import { textOf } from './view.ts';

export interface LessonOptions {
  readonly sessionId: string;
  readonly token: string | (() => Promise<string>);
  readonly open: OpenLink;
  readonly reconnect: ReconnectPolicy;
  readonly media: (host: MediaHost) => LessonMedia;
  readonly resume?: { readonly lastEventId: string; readonly view: SessionView } | undefined;
  /** Runs `tell` a little later, so that many changes make one `view` event; returns how to call it off. */
  readonly soon: (tell: () => void) => () => void;
}

/** One lesson over whatever links there are. */
export class Lesson implements TutorSession {
  readonly id: string;
  readonly chat: TutorSession['chat'];
  readonly audio: TutorSession['audio'];
  readonly #media: LessonMedia;
  readonly #emitter: Emitter<SessionEvents>;
  readonly #changes = new Changes();
  readonly #closing = new AbortController();
  readonly #conversation: Conversation;
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
    this.#feed = feed;
    this.#token = options.token;
    this.#soon = options.soon;
    this.#emitter = new Emitter((error) => this.#onListenerError(error));
    const host = {
      sessionId: options.sessionId,
      changes: this.#changes,
      link: () => this.#link,
      failure: () => this.#failure,
      closing: this.#closing.signal,
    };
    this.#conversation = new Conversation({
      ...host,
      view: () => this.view,
      onRefused: (error) => this.#emitter.emit('error', error),
    });
    this.chat = { send: (text, sendOptions = {}) => this.#conversation.send(text, sendOptions) };
    this.audio = spokenAudio(options.sessionId, host);
    this.#media = options.media({
      ...host,
      textOf: (turnId, index) => textOf(this.view, turnId, index),
      onListenerError: (error) => this.#onListenerError(error),
    });
    this.#done = this.#live(options);
  }

  get media(): TutorMedia {
    return this.#media;
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

  interrupt(): Promise<void> {
    return this.#conversation.interrupt(undefined);
  }

  async renewToken(): Promise<Grant> {
    const grant = await this.#conversation.renewToken();
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

  mediaChunks(options: { readonly signal?: AbortSignal } = {}): AsyncIterable<MediaChunk> {
    return liveItems(
      this.#sourceOf((link, onItem, signal) => link.chunks({ sessionId: this.id, onItem }, signal)),
      options.signal,
    );
  }

  signals(options: { readonly signal?: AbortSignal } = {}): AsyncIterable<Signal> {
    return liveItems(
      this.#sourceOf((link, onItem, signal) => link.signals({ sessionId: this.id, onItem }, signal)),
      options.signal,
    );
  }

  async close(): Promise<void> {
    this.#finish(aborted(), null);
    await this.#done;
    await Promise.all(this.#traces);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #sourceOf<Item>(follow: LiveSource<Item>['follow']): LiveSource<Item> {
    return { changes: this.#changes, link: () => this.#link, failure: () => this.#failure, follow };
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
    if (item.type === 'message' && item.modality === 'voice') this.#media.understood();
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
    this.#media.linked();
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
    this.#media.close();
    if (this.#callOff !== null) {
      this.#callOff();
      this.#tellView();
    }
    this.#enter('closed', error ?? undefined);
    if (error !== null) this.#emitter.emit('error', error);
    this.#changes.tell();
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
