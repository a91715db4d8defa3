import type { SessionId } from '@virtual-tutor/schemas';
import { LessonFeed, type LessonFeedOptions } from './lesson-feed.ts';

interface Held {
  readonly feed: LessonFeed;
  holders: number;
}

/** Feeds in use: one per session, shared by its host and its readers, gone when the last of them lets go. */
export class LessonFeeds {
  readonly #options: LessonFeedOptions;
  readonly #held = new Map<SessionId, Held>();

  constructor(options: LessonFeedOptions) {
    this.#options = options;
  }

  /** How many are in use. */
  get size(): number {
    return this.#held.size;
  }

  hold(sessionId: SessionId): { readonly feed: LessonFeed } & Disposable {
    const held = this.#held.get(sessionId) ?? { feed: new LessonFeed(sessionId, this.#options), holders: 0 };
    held.holders += 1;
    this.#held.set(sessionId, held);
    let released = false;
    return {
      feed: held.feed,
      [Symbol.dispose]: () => {
        if (released) return;
        released = true;
        held.holders -= 1;
        if (held.holders > 0) return;
        held.feed.close();
        this.#held.delete(sessionId);
      },
    };
  }

  /** Null when nobody reads or hosts it here. */
  find(sessionId: SessionId): LessonFeed | null {
    return this.#held.get(sessionId)?.feed ?? null;
  }

  /** Drops opened events, after a student was forgotten. */
  forget(): void {
    for (const { feed } of this.#held.values()) feed.forget();
  }
}
