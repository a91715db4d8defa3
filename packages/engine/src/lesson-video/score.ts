import type { Locale, Quality, SessionEvent, TurnId } from '@virtual-tutor/schemas';

/*
 * A lesson as it was to its student. Times are ms from the first event of the session.
 */

export interface LoggedEvent {
  /** `occurredAt`, epoch ms. */
  readonly atMs: number;
  readonly event: SessionEvent;
}

/** A sentence of the tutor, as far as it was heard or read. */
export interface ScoredSentence {
  readonly turnId: TurnId;
  readonly index: number;
  readonly language: Locale;
  readonly medium: 'voice' | 'text';
  /** As it was generated, Markdown and all; null: it was erased. */
  readonly text: string | null;
  /** Of `text`, what the student got; all of it unless the reply was cut within it. */
  readonly heardText: string | null;
  readonly startMs: number;
  /** 0: it was read. */
  readonly heardMs: number;
  /** Length of the whole sentence as it was spoken then; null: it was cut, and the log does not say, or it was read. */
  readonly durationMs: number | null;
  readonly cut: boolean;
}

export interface StudentLine {
  readonly turnId: TurnId;
  readonly language: Locale;
  readonly modality: 'text' | 'voice';
  /** Null: it was erased. */
  readonly text: string | null;
  readonly startMs: number;
  /** Typed: the same as `startMs`. */
  readonly endMs: number;
}

/** From here on the student had the tutor's picture, its voice alone, or writing alone. */
export interface Mode {
  readonly fromMs: number;
  readonly quality: Quality;
}

export interface LessonScore {
  /** Of the first event, epoch ms. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly locale: Locale;
  /** In order; those that were spoken do not overlap. */
  readonly sentences: readonly ScoredSentence[];
  readonly student: readonly StudentLine[];
  /** In order; the first is from 0. */
  readonly modes: readonly Mode[];
}

/** What holds at a moment; null: nothing yet. */
export function lastFrom<T extends { readonly fromMs: number }>(all: readonly T[], atMs: number): T | null {
  return all.findLast(({ fromMs }) => fromMs <= atMs) ?? null;
}
