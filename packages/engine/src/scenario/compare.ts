import type { PassageId, ScenarioTurn } from '@virtual-tutor/schemas';
import type { RankedPassage } from '../ports.ts';
import type { ReplyFailure } from '../reply-failure.ts';
import { type Difference, differenceOf, fits } from './difference.ts';

/** What came of a turn that was asked again. */
export type Rerun =
  | {
      readonly status: 'answered';
      readonly text: string;
      readonly citations: readonly PassageId[];
      readonly provider: string;
      readonly model: string;
      readonly firstTokenMs: number;
      readonly totalMs: number;
    }
  | { readonly status: 'failed'; readonly code: ReplyFailure['code']; readonly provider: string; readonly model: string }
  /** Its words are not in the file. */
  | { readonly status: 'erased' };

/** A passage as people know it. The hash tells whether it is the same text; a document that was added again has another id. */
export interface CitedPassage {
  readonly passageId: PassageId;
  readonly title: string;
  readonly contentHash: string;
}

interface BeforeAndNow<T> {
  readonly before: T;
  readonly now: T;
}

export interface TurnComparison {
  /** From 1. */
  readonly turn: number;
  /**
   * `same`: word for word, where the words were kept. `changed`: another answer. `lost`: there was one, now there is none. `answered`: the other
   * way round. `failed`: neither then nor now. `erased`: cannot be asked again.
   */
  readonly verdict: 'same' | 'changed' | 'lost' | 'answered' | 'failed' | 'erased';
  readonly question: string | null;
  readonly answer: BeforeAndNow<string | null>;
  /** By sentences. None unless `changed`. */
  readonly difference: Difference;
  readonly cited: BeforeAndNow<readonly CitedPassage[]>;
  readonly citations: 'same' | 'changed';
  readonly retrieved: BeforeAndNow<readonly CitedPassage[]>;
  readonly model: BeforeAndNow<string | null>;
  /** Null: of no revision of the log. */
  readonly tutorRevision: BeforeAndNow<number | null>;
  readonly knowledgeRevision: BeforeAndNow<number | null>;
  readonly firstTokenMs: BeforeAndNow<number | null>;
  readonly totalMs: BeforeAndNow<number | null>;
  /** Why there was no answer. */
  readonly failure: BeforeAndNow<string | null>;
}

interface Before {
  readonly turn: number;
  readonly recorded: ScenarioTurn;
  readonly passages: readonly RankedPassage[];
}

interface Now {
  readonly rerun: Rerun;
  readonly passages: readonly RankedPassage[];
  readonly tutorRevision: number | null;
  readonly knowledgeRevision: number | null;
}

export function compareTurn({ turn, recorded, passages }: Before, now: Now): TurnComparison {
  const verdict = verdictOf(recorded, now.rerun);
  const old: Result = { ...none, ...recorded.answer, failure: recorded.failure };
  const fresh = resultOf(now.rerun);
  const cited = { before: citedOf(old.citations, passages), now: citedOf(fresh.citations, now.passages) };
  // Of an answer that was cut the citations after the cut are not known.
  const sameAsFarAsKnown = fresh.text === null || (recorded.end !== 'completed' && verdict === 'same');
  return {
    ...{ turn, verdict, question: recorded.question, cited },
    answer: { before: old.text, now: fresh.text },
    difference: verdict === 'changed' ? differenceOf(old.text ?? '', fresh.text ?? '') : [],
    citations: sameAsFarAsKnown || sameTexts(cited.before, cited.now) ? 'same' : 'changed',
    retrieved: { before: passages.map(named), now: now.passages.map(named) },
    model: { before: old.model, now: fresh.model },
    tutorRevision: { before: recorded.tutorRevision, now: now.tutorRevision },
    knowledgeRevision: { before: recorded.retrieved?.knowledgeRevision ?? null, now: now.knowledgeRevision },
    firstTokenMs: { before: old.firstTokenMs, now: fresh.firstTokenMs },
    totalMs: { before: old.totalMs, now: fresh.totalMs },
    failure: { before: old.failure, now: fresh.failure },
  };
}

interface Result {
  readonly text: string | null;
  readonly citations: readonly PassageId[];
  readonly model: string | null;
  readonly firstTokenMs: number | null;
  readonly totalMs: number | null;
  readonly failure: string | null;
}

const none: Result = { text: null, citations: [], model: null, firstTokenMs: null, totalMs: null, failure: null };

function resultOf(rerun: Rerun): Result {
  switch (rerun.status) {
    case 'answered':
      return { ...rerun, failure: null };
    case 'failed':
      return { ...none, model: rerun.model, failure: rerun.code };
    case 'erased':
      return none;
  }
}

function verdictOf({ answer, end, question }: ScenarioTurn, rerun: Rerun): TurnComparison['verdict'] {
  if (question === null || rerun.status === 'erased') return 'erased';
  const hadAnswer = answer !== null && answer.text !== '' && end !== 'failed';
  if (rerun.status === 'failed') return hadAnswer ? 'lost' : 'failed';
  if (!hadAnswer) return 'answered';
  return fits(answer.text, rerun.text, end === 'completed') ? 'same' : 'changed';
}

function named({ passageId, title, contentHash }: RankedPassage): CitedPassage {
  return { passageId, title, contentHash };
}

function citedOf(citations: readonly PassageId[], passages: readonly RankedPassage[]): readonly CitedPassage[] {
  return passages.filter(({ passageId }) => citations.includes(passageId)).map(named);
}

function sameTexts(a: readonly CitedPassage[], b: readonly CitedPassage[]): boolean {
  const hashes = new Set(a.map(({ contentHash }) => contentHash));
  return hashes.size === new Set(b.map(({ contentHash }) => contentHash)).size && b.every(({ contentHash }) => hashes.has(contentHash));
}
