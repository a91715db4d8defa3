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
  /** True: it is heard when it was said; what a page shows of it does not count. False: it is heard when it is read. */
  byVoice: boolean;
  heard: boolean;
  /** The host was told that it was heard. */
  reported: boolean;
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
  /** What is made from now on is for the voice, from its first character: a page that shows it earlier does not count. */
  #aloud = false;
  #silenced = false;
  /** How far the voice was heard. */
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
    const sentence = this.#sentences.get(index) ?? newSentence({ text: '', revision: null, byVoice: this.#aloud });
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
    this.#sentences.set(index, newSentence({ ...sentence, byVoice: false }));
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

  /** Something of it is for the voice. */
  get spoken(): boolean {
    return [...this.#sentences.values()].some(({ byVoice }) => byVoice);
  }

  /** True: it was cut, and nothing more of it may be said. */
  get silenced(): boolean {
    return this.#silenced;
  }

  silence(): void {
    this.#silenced = true;
  }

  /** The student can hear the tutor: what is made from now on is said. */
  voiceBegins(): void {
    this.#aloud = true;
  }

  /** This sentence is given to the voice, which decides from now on how much of it was heard. */
  givenToVoice(index: number): void {
    const sentence = this.#sentences.get(index);
    if (sentence !== undefined) sentence.byVoice = true;
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

  /** The voice will not say this sentence: it is for the eyes. */
  unspoken(index: number): void {
    const sentence = this.#sentences.get(index);
    if (sentence !== undefined) sentence.byVoice = false;
    this.#hear();
  }

  /** The voice is gone: whoever cannot hear the rest can read it. */
  voiceLost(): void {
    this.#aloud = false;
    for (const sentence of this.#sentences.values()) sentence.byVoice = false;
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
    for (const [index, sentence] of this.#inOrder()) {
      if (index < from) continue;
      if (!sentence.heard) return this.#cutWithin(index, { partial, sentence });
      partial += sentence.text;
    }
    return { partial, heardMs: null };
  }

  #cutWithin(index: number, { partial, sentence }: { readonly partial: string; readonly sentence: SentenceProgress }): Cut {
    const played = this.#upTo?.index === index ? this.#upTo : null;
    const heard = sentence.text.slice(0, played?.chars ?? 0);
    const shown = sentence.byVoice ? '' : this.#shownOf(index);
    // After the voice was lost in the middle, the eyes may have come further, or not.
    if (shown.length > heard.length) return { partial: partial + shown, heardMs: null };
    return { partial: partial + heard, heardMs: played?.heardMs ?? (sentence.byVoice ? 0 : null) };
  }

  #inOrder(): readonly (readonly [number, SentenceProgress])[] {
    return [...this.#sentences].sort(([a], [b]) => a - b);
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

  /** Sentences are told in order: one that the voice left out is not passed over, so that what was heard has no hole. */
  #hear(): void {
    let unheard = false;
    for (const [index, sentence] of this.#inOrder()) {
      if (!sentence.byVoice && this.#wasShown(sentence)) sentence.heard = true;
      if (!sentence.heard) unheard = true;
      else if (!sentence.reported && !unheard) this.#report(index, sentence);
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

function newSentence(sentence: Pick<SentenceProgress, 'text' | 'revision' | 'byVoice'>): SentenceProgress {
  return { ...sentence, lastOrdinal: null, heard: false, reported: false, playout: read };
}
