import { type FeedCursor, type FeedItem, formatFeedId, type TurnId } from '@virtual-tutor/schemas';

export interface Addressed {
  readonly id: string;
  readonly item: FeedItem;
}

interface Piece {
  readonly index: number;
  readonly text: string;
}

/** A reply in the making, on one host. */
interface Incarnation {
  readonly turnId: TurnId;
  readonly startRevision: number;
  readonly pieces: Piece[];
}

/**
 * A session's feed by the book (`FeedItem` and `FeedCursor` of the schemas), written down step by
 * step by a test: durable items, pieces of unfinished sentences, take-overs.
 */
export class ScriptedLesson {
  readonly #durable: FeedItem[] = [];
  readonly #wakes = new Set<() => void>();
  #live: Incarnation | null = null;

  get revision(): number {
    return this.#durable.length;
  }

  get live(): Incarnation | null {
    return this.#live;
  }

  get items(): readonly FeedItem[] {
    return this.#durable;
  }

  append(item: FeedItem): void {
    this.#durable.push(item);
    if (item.type === 'replyStarted' || item.type === 'replyResumed') {
      this.#live = { turnId: item.turnId, startRevision: this.revision, pieces: [] };
    }
    if (item.type === 'replyCompleted' || item.type === 'replyInterrupted' || item.type === 'replyFailed') this.#live = null;
    this.#wake();
  }

  /** Something that only a newer engine says. */
  appendRaw(item: { readonly type: string; readonly [field: string]: unknown }): void {
    // The wire carries whatever an engine sends; this one's schemas do not know it.
    this.append(item as unknown as FeedItem);
  }

  /** A piece of the sentence `index` of the reply under way. */
  piece(index: number, text: string): void {
    this.#live?.pieces.push({ index, text });
    this.#wake();
  }

  /** Changes when there is news. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#wakes.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#wakes.add(wake);
      signal.addEventListener('abort', wake);
      if (signal.aborted) wake();
    });
  }

  durableAt(revision: number): FeedItem | undefined {
    return this.#durable[revision - 1];
  }

  isDurable(turnId: TurnId, index: number, upTo: number): boolean {
    return this.#durable.slice(0, upTo).some((item) => item.type === 'sentence' && item.turnId === turnId && item.index === index);
  }

  #wake(): void {
    for (const wake of [...this.#wakes]) wake();
  }
}

/** One subscription: hands out what there is after its cursor, one item at a time. */
export class ScriptedReader {
  readonly #lesson: ScriptedLesson;
  readonly #resumedAt: FeedCursor;
  #revision: number;
  #ordinal = 0;
  #following: Incarnation | null = null;
  #caughtUp = false;

  constructor(lesson: ScriptedLesson, cursor: FeedCursor) {
    this.#lesson = lesson;
    this.#resumedAt = cursor;
    this.#revision = cursor.revision;
  }

  /** Null when there is nothing yet. */
  next(): Addressed | null {
    const durable = this.#lesson.durableAt(this.#revision + 1);
    if (durable !== undefined) {
      this.#revision += 1;
      return { id: formatFeedId({ revision: this.#revision, delta: 0 }), item: durable };
    }
    const piece = this.#nextPiece();
    if (piece !== null) return piece;
    if (this.#caughtUp) return null;
    this.#caughtUp = true;
    return { id: formatFeedId({ revision: this.#revision, delta: this.#ordinal }), item: { type: 'caughtUp' } };
  }

  #nextPiece(): Addressed | null {
    const { live } = this.#lesson;
    if (live === null) return null;
    if (this.#following !== live) {
      this.#following = live;
      this.#ordinal = live.startRevision <= this.#resumedAt.revision ? this.#resumedAt.delta : 0;
    }
    while (this.#ordinal < live.pieces.length) {
      const piece = live.pieces[this.#ordinal];
      this.#ordinal += 1;
      if (piece === undefined || this.#lesson.isDurable(live.turnId, piece.index, this.#revision)) continue;
      return {
        id: formatFeedId({ revision: this.#revision, delta: this.#ordinal }),
        item: { type: 'delta', turnId: live.turnId, ...piece },
      };
    }
    return null;
  }
}
