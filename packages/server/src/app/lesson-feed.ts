import {
  type FeedCursor,
  type FeedItem,
  formatFeedId,
  type SessionEvent,
  type SessionId,
  type StreamName,
  streams,
} from '@virtual-tutor/schemas';
import type { Refusal } from '../domain/decision.ts';
import type { EventCodec, OpenEvent } from './event-codec.ts';
import type { LiveReply } from './live-reply.ts';
import type { Clock, EventStore } from './ports.ts';
import type { Tail } from './tail.ts';

export interface AddressedItem {
  /** `revision.delta`: see `FeedCursor`. */
  readonly id: string;
  readonly item: FeedItem;
}

/** How a durable event looks to the student; null for those that are not the student's business. */
export type Present = (event: OpenEvent<SessionEvent>) => Promise<FeedItem | null>;

/** A resume point that this session never gave out. */
export class ResumeExpired extends Error {
  override readonly name = 'ResumeExpired';
  readonly refusal: Refusal = {
    code: 'resume_expired',
    message: 'this resume point is not one of this session: subscribe without lastEventId',
  };
}

export interface LessonFeedOptions {
  readonly store: EventStore;
  readonly codec: EventCodec;
  readonly tail: Tail;
  readonly present: Present;
  readonly clock: Clock;
  /** How long a piece waited here before it went to its reader, ms. */
  readonly onDelta: (waitedMs: number) => void;
}

/** Events that a reader has in hand at once: small, since a stalled one keeps them. */
const pageSize = 32;
/** Opened events kept for the readers that follow live. */
const maxRecent = 256;

/**
 * One session's feed: its durable events as the tail tells them, and the reply in the making. Keeps
 * nothing per reader but a wake-up: a slow reader finds the deltas it missed joined, a reader that
 * comes back finds what came after its cursor in the log.
 */
export class LessonFeed {
  readonly #options: LessonFeedOptions;
  readonly #stream: StreamName;
  readonly #wakes = new Set<() => void>();
  readonly #detach: () => void;
  #recent: OpenEvent<SessionEvent>[] = [];
  #opening: Promise<void> = Promise.resolve();
  #live: LiveReply | null = null;

  constructor(sessionId: SessionId, options: LessonFeedOptions) {
    this.#options = options;
    this.#stream = streams.session(sessionId);
    this.#detach = options.tail.onStream(this.#stream, (stored) => {
      this.#opening = this.#opening
        .then(async () => this.#remember(asSessionEvent(await options.codec.open(stored))))
        // A reader that misses it here reads it from the log.
        .catch(() => this.changed());
    });
  }

  get live(): LiveReply | null {
    return this.#live;
  }

  /** Readers follow this reply from now on. */
  show(live: LiveReply): void {
    this.#live = live;
    this.changed();
  }

  /** Wakes the readers. */
  changed(): void {
    for (const wake of this.#wakes) wake();
  }

  /** Drops opened events, after a student was forgotten. */
  forget(): void {
    this.#recent = [];
  }

  close(): void {
    this.#detach();
  }

  /**
   * Everything after the cursor, then what happens, until the session ends or `signal` aborts. An
   * item counts as shown to the student when the next one is asked for. Throws `ResumeExpired`.
   */
  async *read(cursor: FeedCursor, signal: AbortSignal): AsyncGenerator<AddressedItem, void, undefined> {
    const reader = new Reader(cursor);
    const wakeUp = new WakeUp();
    this.#wakes.add(wakeUp.wake);
    const stop = () => wakeUp.wake();
    signal.addEventListener('abort', stop);
    try {
      await this.#checkCursor(cursor);
      this.#live?.shown(reader.position(this.#live));
      while (!signal.aborted) {
        wakeUp.rearm();
        yield* this.#durable(reader);
        if (reader.ended) return;
        yield* this.#pieces(reader);
        if (!reader.caughtUp) {
          reader.caughtUp = true;
          yield { id: reader.id(), item: { type: 'caughtUp' } };
        }
        await wakeUp.woken();
      }
    } finally {
      signal.removeEventListener('abort', stop);
      this.#wakes.delete(wakeUp.wake);
    }
  }

  async *#durable(reader: Reader): AsyncGenerator<AddressedItem, void, undefined> {
    for (;;) {
      const events = await this.#eventsAfter(reader.revision);
      if (events.length === 0) return;
      for (const event of events) {
        const item = await this.#options.present(event);
        reader.passed(event);
        if (item !== null) yield { id: formatFeedId({ revision: event.stored.revision, delta: 0 }), item };
        this.#live?.shown(reader.position(this.#live));
      }
    }
  }

  async *#pieces(reader: Reader): AsyncGenerator<AddressedItem, void, undefined> {
    const live = this.#live;
    if (live === null || !reader.follows(live)) return;
    for (let next = live.next(reader.ordinal, reader.revision); next !== null; next = live.next(reader.ordinal, reader.revision)) {
      reader.ordinal = next.ordinal;
      this.#options.onDelta(this.#options.clock.now() - next.madeAtMs);
      yield { id: reader.id(), item: { type: 'delta', turnId: live.turnId, index: next.index, text: next.text } };
      live.shown(reader.position(live));
    }
  }

  async #checkCursor(cursor: FeedCursor): Promise<void> {
    if (cursor.revision === 0) {
      if (cursor.delta !== 0) throw new ResumeExpired();
      return;
    }
    const [known] = await this.#options.store.readStream(this.#stream, { after: cursor.revision - 1, limit: 1 });
    const live = this.#live;
    const beyond = live?.startRevision != null && live.startRevision <= cursor.revision && cursor.delta > live.ordinal;
    if (known === undefined || beyond) throw new ResumeExpired();
  }

  async #eventsAfter(revision: number): Promise<readonly OpenEvent<SessionEvent>[]> {
    const first = this.#recent[0];
    if (first !== undefined && first.stored.revision <= revision + 1)
      return this.#recent.slice(revision + 1 - first.stored.revision).slice(0, pageSize);
    const page = await this.#options.store.readStream(this.#stream, { after: revision, limit: pageSize });
    return Promise.all(page.map(async (stored) => asSessionEvent(await this.#options.codec.open(stored))));
  }

  #remember(event: OpenEvent<SessionEvent>): void {
    const last = this.#recent.at(-1);
    if (last !== undefined && last.stored.revision + 1 !== event.stored.revision) this.#recent = [];
    this.#recent.push(event);
    if (this.#recent.length > maxRecent) this.#recent = this.#recent.slice(-maxRecent / 2);
    this.#follow(event);
    this.changed();
  }

  /** What the log says of the reply in the making. */
  #follow(event: OpenEvent<SessionEvent>): void {
    const live = this.#live;
    if (live === null || !('turnId' in event.payload) || event.payload.turnId !== live.turnId) return;
    const { revision } = event.stored;
    switch (event.type) {
      case 'ReplyResumed':
        live.resumed(revision);
        break;
      case 'SentenceGenerated':
        live.committed(event.payload.index, revision);
        break;
      case 'ReplyCompleted':
      case 'ReplyInterrupted':
      case 'ReplyFailed':
        live.abort.abort();
        this.#live = null;
        break;
      default:
    }
  }
}

/** Where one reader stands. */
class Reader {
  revision: number;
  ordinal: number;
  caughtUp = false;
  ended = false;
  readonly #resumedAt: FeedCursor;
  #following: LiveReply | null = null;

  constructor(cursor: FeedCursor) {
    this.revision = cursor.revision;
    this.ordinal = cursor.delta;
    this.#resumedAt = cursor;
  }

  id(): string {
    return formatFeedId({ revision: this.revision, delta: this.ordinal });
  }

  /** The ordinal counts only for the reply that it was given out for. */
  position(live: LiveReply): { readonly revision: number; readonly ordinal: number } {
    return { revision: this.revision, ordinal: this.#following === live ? this.ordinal : 0 };
  }

  passed(event: OpenEvent<SessionEvent>): void {
    this.revision = event.stored.revision;
    if (event.type === 'SessionEnded') this.ended = true;
    if (event.type === 'MessageReceived' || event.type === 'ReplyResumed') this.ordinal = 0;
  }

  /** True once the reply's beginning was passed. */
  follows(live: LiveReply): boolean {
    if (this.#following === live) return true;
    if (live.startRevision === null || live.startRevision > this.revision) return false;
    this.#following = live;
    this.ordinal = live.startRevision <= this.#resumedAt.revision ? this.#resumedAt.delta : 0;
    return true;
  }
}

/** A level-triggered wake-up: one that comes between rearming and waiting is not lost. */
class WakeUp {
  #woken = Promise.withResolvers<void>();
  readonly wake = (): void => this.#woken.resolve();

  rearm(): void {
    this.#woken = Promise.withResolvers<void>();
  }

  woken(): Promise<void> {
    return this.#woken.promise;
  }
}

function asSessionEvent(event: OpenEvent): OpenEvent<SessionEvent> {
  // A session's stream holds session events only: the codec looked the type up in that catalogue.
  return event as OpenEvent<SessionEvent>;
}
