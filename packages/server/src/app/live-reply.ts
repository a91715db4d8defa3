import type { HeardUpTo } from '@virtual-tutor/engine/media';
import type { Playout, TurnId } from '@virtual-tutor/schemas';
import type { Cut } from '../domain/session.ts';

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
  /** It cannot be spoken: it is heard when it is read. */
  unspoken: boolean;
  /** How it was heard. */
  playout: Playout;
}

const read: Playout = { medium: 'text' };

/**
 * The reply in the making of one turn on one host: lives in memory with its turn, and knows what a
 * connected student has been shown of it. A reply that is resumed after a take-over is a new one.
 */
export class LiveReply {
  readonly turnId: TurnId;
  /** Aborts the work behind it. */
  readonly abort = new AbortController();
  readonly #onHeard: (index: number, playout: Playout) => void;
  readonly #pieces: Piece[] = [];
  readonly #sentences = new Map<number, SentenceProgress>();
  readonly #settled = Promise.withResolvers<void>();
  #startRevision: number | null;
  #shownOrdinal = 0;
  #shownRevision = 0;
  #generated = false;
  /** The voice decides what was heard; what a reader was shown ahead of it does not count. */
  #spoken = false;
  #upTo: HeardUpTo | null = null;
  /** When the first of its sound, and of its moving mouth, left; epoch ms. */
  firstAudioAtMs: number | null = null;
  firstFrameAtMs: number | null = null;

  /** `startRevision`: of the message it answers; null for a reply that is resumed, until the log says so. */
  constructor(turnId: TurnId, startRevision: number | null, onHeard: (index: number, playout: Playout) => void) {
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
    const sentence = this.#sentences.get(index) ?? newSentence('', null);
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
    this.#sentences.set(index, newSentence(sentence.text, sentence.revision));
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
    this.#shownRevision = Math.max(this.#shownRevision, cursor.revision);
    this.#hear();
  }

  /** True: from now on the voice decides what was heard. False: the eyes do, and all that was shown counts. */
  get spoken(): boolean {
    return this.#spoken;
  }

  set spoken(spoken: boolean) {
    this.#spoken = spoken;
    this.#hear();
  }

  /** The voice has come so far. */
  played(upTo: HeardUpTo): void {
    this.#upTo = upTo;
  }

  /** The voice said this sentence to its end. */
  playedWhole(index: number, playout: { readonly heardMs: number; readonly durationMs: number }): void {
    const sentence = this.#sentences.get(index);
    if (sentence === undefined || sentence.heard) return;
    sentence.heard = true;
    sentence.playout = { medium: 'voice', ...playout };
    this.#hear();
  }

  /** The voice cannot say this sentence. */
  unspoken(index: number): void {
    const sentence = this.#sentences.get(index);
    if (sentence !== undefined) sentence.unspoken = true;
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

  /** What was shown or played from sentence `from` on: the end of the heard text when the reply is cut. */
  cutFrom(from: number): Cut {
    let partial = '';
    for (const [index, sentence] of [...this.#sentences].sort(([a], [b]) => a - b)) {
      if (index < from) continue;
      if (sentence.heard) partial += sentence.text;
      else if (!this.#byVoice(sentence)) return { partial: partial + this.#shownOf(index), heardMs: null };
      else if (this.#upTo?.index !== index) break;
      else return { partial: partial + sentence.text.slice(0, this.#upTo.chars), heardMs: this.#upTo.heardMs };
    }
    return { partial, heardMs: this.#spoken ? 0 : null };
  }

  #byVoice(sentence: SentenceProgress): boolean {
    return this.#spoken && !sentence.unspoken;
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
      if (!this.#byVoice(sentence) && this.#wasShown(sentence)) sentence.heard = true;
      if (!sentence.heard) unheard = true;
      else if (!sentence.reported) this.#report(index, sentence);
    }
    if (this.#generated && !unheard) this.#settled.resolve();
  }

  #report(index: number, sentence: SentenceProgress): void {
    sentence.reported = true;
    this.#onHeard(index, sentence.playout);
  }

  #wasShown({ lastOrdinal, revision }: SentenceProgress): boolean {
    return (lastOrdinal !== null && lastOrdinal <= this.#shownOrdinal) || (revision !== null && revision <= this.#shownRevision);
  }
}

function newSentence(text: string, revision: number | null): SentenceProgress {
  return { text, revision, lastOrdinal: null, heard: false, reported: false, unspoken: false, playout: read };
}
