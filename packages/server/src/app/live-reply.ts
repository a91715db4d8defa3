import type { TurnId } from '@virtual-tutor/schemas';

/** A piece of the reply in the making. Its place in the list, from 1, is its ordinal. */
export interface Piece {
  readonly index: number;
  readonly text: string;
  /** When it was made, epoch ms. */
  readonly madeAtMs: number;
}

interface SentenceProgress {
  /** Of `SentenceGenerated`; null until the log has it. */
  revision: number | null;
  /** Ordinal of its last piece; null while it is being written, or when it was written before a take-over. */
  lastOrdinal: number | null;
  text: string;
  heard: boolean;
  /** The host was told that it was heard. */
  reported: boolean;
}

/**
 * The reply in the making of one turn on one host: lives in memory with its turn, and knows what a
 * connected student has been shown of it. A reply that is resumed after a take-over is a new one.
 */
export class LiveReply {
  readonly turnId: TurnId;
  /** Aborts the work behind it. */
  readonly abort = new AbortController();
  readonly #onHeard: (index: number) => void;
  readonly #pieces: Piece[] = [];
  readonly #sentences = new Map<number, SentenceProgress>();
  readonly #settled = Promise.withResolvers<void>();
  #startRevision: number | null;
  #shownOrdinal = 0;
  #generated = false;

  /** `startRevision`: of the message it answers; null for a reply that is resumed, until the log says so. */
  constructor(turnId: TurnId, startRevision: number | null, onHeard: (index: number) => void) {
    this.turnId = turnId;
    this.#startRevision = startRevision;
    this.#onHeard = onHeard;
  }

  /** Readers see its pieces once they have passed this revision: of its message, or of `ReplyResumed`. Null: not in the log yet. */
  get startRevision(): number | null {
    return this.#startRevision;
  }

  /** How many pieces there are: the newest one's ordinal. */
  get ordinal(): number {
    return this.#pieces.length;
  }

  /** Resolves when all was generated and heard. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  resumed(revision: number): void {
    this.#startRevision = revision;
  }

  push(piece: Piece): void {
    const { index, text } = piece;
    this.#pieces.push(piece);
    const sentence = this.#sentences.get(index) ?? { revision: null, lastOrdinal: null, text: '', heard: false, reported: false };
    sentence.text += text;
    this.#sentences.set(index, sentence);
  }

  /** The sentence is whole: it is heard once its last piece was shown. */
  closed(index: number): void {
    const sentence = this.#sentences.get(index);
    if (sentence === undefined) return;
    sentence.lastOrdinal = this.#pieces.length;
    this.#hear();
  }

  /** A sentence made before the take-over that nobody is known to have been shown. */
  inherited(index: number, sentence: { readonly text: string; readonly revision: number }): void {
    this.#sentences.set(index, { ...sentence, lastOrdinal: null, heard: false, reported: false });
  }

  committed(index: number, revision: number): void {
    const sentence = this.#sentences.get(index);
    if (sentence !== undefined) sentence.revision = revision;
  }

  generated(): void {
    this.#generated = true;
    this.#hear();
  }

  /** A connected reader was handed everything up to here. */
  shown(cursor: { readonly revision: number; readonly ordinal: number }): void {
    this.#shownOrdinal = Math.max(this.#shownOrdinal, Math.min(cursor.ordinal, this.#pieces.length));
    for (const sentence of this.#sentences.values()) {
      if (sentence.revision !== null && sentence.revision <= cursor.revision) sentence.heard = true;
    }
    this.#hear();
  }

  /** The next pieces of one sentence after `ordinal`, joined, that are not yet in the log at `revision`. Null: none. */
  next(ordinal: number, revision: number): (Piece & { readonly ordinal: number }) | null {
    let at = ordinal;
    while (at < this.#pieces.length && this.#inLog(at, revision)) at += 1;
    const first = this.#pieces[at];
    if (first === undefined) return null;
    let text = '';
    while (this.#pieces[at]?.index === first.index) {
      text += this.#pieces[at]?.text ?? '';
      at += 1;
    }
    return { ...first, text, ordinal: at };
  }

  /** What was shown from sentence `from` on: the end of the heard text when the reply is cut. */
  shownFrom(from: number): string {
    let text = '';
    for (const [index, sentence] of [...this.#sentences].sort(([a], [b]) => a - b)) {
      if (index < from) continue;
      if (sentence.heard) text += sentence.text;
      else return text + this.#shownOf(index);
    }
    return text;
  }

  #shownOf(index: number): string {
    return this.#pieces
      .slice(0, this.#shownOrdinal)
      .filter((piece) => piece.index === index)
      .map((piece) => piece.text)
      .join('');
  }

  #inLog(at: number, revision: number): boolean {
    const committed = this.#sentences.get(this.#pieces[at]?.index ?? -1)?.revision ?? null;
    return committed !== null && committed <= revision;
  }

  #hear(): void {
    let unheard = false;
    for (const [index, sentence] of this.#sentences) {
      if (sentence.lastOrdinal !== null && sentence.lastOrdinal <= this.#shownOrdinal) sentence.heard = true;
      if (!sentence.heard) unheard = true;
      else if (!sentence.reported) this.#report(index, sentence);
    }
    if (this.#generated && !unheard) this.#settled.resolve();
  }

  #report(index: number, sentence: SentenceProgress): void {
    sentence.reported = true;
    this.#onHeard(index);
  }
}
