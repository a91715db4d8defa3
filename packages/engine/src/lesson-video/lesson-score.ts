import type { Locale, SessionEvent, TurnId } from '@virtual-tutor/schemas';
import { type Heard, placeVoices } from './place-voices.ts';
import type { LessonScore, LoggedEvent, Mode, ScoredSentence, StudentLine } from './score.ts';

interface TurnSoFar {
  readonly language: Locale;
  readonly texts: (string | null)[];
  heardText: string | null;
}

/**
 * What a lesson was to its student, and when: read off the events of its session alone, in their order. Sentences that were generated and never
 * reached the student are no part of it.
 */
export function lessonScore(events: readonly LoggedEvent[]): LessonScore {
  const writer = new ScoreWriter(events[0]?.atMs ?? 0);
  for (const { atMs, event } of events) {
    writer.take(atMs, event);
    // What is done with it later, days maybe, is no part of the lesson.
    if (event.type === 'SessionEnded') break;
  }
  return writer.score();
}

class ScoreWriter {
  readonly #startedAtMs: number;
  #locale: Locale = 'en';
  #nowMs = 0;
  readonly #turns = new Map<TurnId, TurnSoFar>();
  readonly #heard: Heard[] = [];
  readonly #student: StudentLine[] = [];
  readonly #modes: Mode[] = [{ fromMs: 0, quality: 'text' }];

  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs;
  }

  take(atMs: number, event: SessionEvent): void {
    // The clock of a node that took over may be behind; order is the log's.
    this.#nowMs = Math.max(this.#nowMs, atMs - this.#startedAtMs);
    switch (event.type) {
      case 'SessionCreated':
        this.#locale = event.payload.locale;
        return;
      case 'MessageReceived':
        this.#receive(event);
        return;
      case 'SentenceGenerated':
        this.#turns.get(event.payload.turnId)?.texts.push(event.personal?.text ?? null);
        return;
      case 'SentenceHeard':
        this.#hear(event.payload);
        return;
      case 'ReplyInterrupted':
        this.#interrupt(event);
        return;
      case 'QualityChanged':
        this.#modes.push({ fromMs: this.#nowMs, quality: event.payload.to });
        return;
      default:
    }
  }

  score(): LessonScore {
    const sentences = placeVoices(this.#heard);
    const endMs = sentences.reduce((latest, { startMs, heardMs }) => Math.max(latest, startMs + heardMs), this.#nowMs);
    return {
      startedAtMs: this.#startedAtMs,
      durationMs: endMs,
      locale: this.#locale,
      sentences,
      student: this.#student,
      modes: this.#modes,
    };
  }

  #receive({ payload, personal }: Extract<SessionEvent, { readonly type: 'MessageReceived' }>): void {
    const { turnId, language, modality, asr } = payload;
    this.#turns.set(turnId, { language, texts: [], heardText: '' });
    const endMs = Math.max(0, this.#nowMs - (asr?.asrMs ?? 0));
    const startMs = Math.max(0, endMs - (asr?.durationMs ?? 0));
    this.#student.push({ turnId, language, modality, text: personal?.text ?? null, startMs, endMs });
  }

  #hear({ turnId, index, playout }: Extract<SessionEvent, { readonly type: 'SentenceHeard' }>['payload']): void {
    const turn = this.#turns.get(turnId);
    if (turn === undefined) return;
    const text = turn.texts[index] ?? null;
    turn.heardText = text === null || turn.heardText === null ? null : turn.heardText + text;
    const { medium } = playout;
    const voice = medium === 'voice' ? { heardMs: playout.heardMs, durationMs: playout.durationMs } : { heardMs: 0, durationMs: null };
    this.#add(turn, { turnId, index, medium, heardText: text, cut: false, ...voice });
  }

  /** What came after the last sentence that the log has as heard. */
  #interrupt({ payload, personal }: Extract<SessionEvent, { readonly type: 'ReplyInterrupted' }>): void {
    const { turnId, heardSentences, heardMs } = payload;
    const turn = this.#turns.get(turnId);
    if (turn === undefined) return;
    const before = turn.heardText;
    const heard = before === null || personal === null ? null : personal.heardText.slice(before.length);
    const { whole, index, partial } = splitCut(turn.texts, heardSentences, heard);
    // Heard to their ends an instant before, when their facts were still on their way: how long they were is not in the log.
    for (const [nth, heardText] of whole.entries()) {
      this.#add(turn, { turnId, index: heardSentences + nth, medium: 'text', heardText, heardMs: 0, durationMs: null, cut: false });
    }
    const medium = heardMs === null ? 'text' : 'voice';
    if (medium === 'voice' ? heardMs === 0 : (partial ?? '') === '') return;
    this.#add(turn, { turnId, index, medium, heardText: partial, heardMs: heardMs ?? 0, durationMs: null, cut: true });
  }

  #add({ language, texts }: TurnSoFar, sentence: Omit<ScoredSentence, 'language' | 'text' | 'startMs'>): void {
    const { heardText, index } = sentence;
    this.#heard.push({ knownAtMs: this.#nowMs, sentence: { ...sentence, language, text: texts[index] ?? heardText } });
  }
}

interface SplitCut {
  /** Whole sentences from `from` on. */
  readonly whole: readonly string[];
  /** The one that was cut, and how much of it was heard; null: it was erased. */
  readonly index: number;
  readonly partial: string | null;
}

function splitCut(texts: readonly (string | null)[], from: number, heard: string | null): SplitCut {
  const whole: string[] = [];
  let partial = heard;
  for (
    let text = texts[from];
    partial !== null && text != null && text !== '' && partial.startsWith(text);
    text = texts[from + whole.length]
  ) {
    whole.push(text);
    partial = partial.slice(text.length);
  }
  return { whole, index: from + whole.length, partial };
}
