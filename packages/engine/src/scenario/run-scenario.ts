import type { PassageId, Scenario, ScenarioTurn } from '@virtual-tutor/schemas';
import { converse, type ReplyRequest } from '../conversation.ts';
import type { Llm, PassageIndex, RankedPassage } from '../ports.ts';
import type { PromptTutor } from '../prompt.ts';
import { ReplyFailure } from '../reply-failure.ts';
import type { Patience } from '../watched-stream.ts';
import { compareTurn, type Rerun, type TurnComparison } from './compare.ts';
import { searchText } from './redact.ts';

/** What is different this time; null: as it was then. */
export interface Against {
  readonly model: string | null;
  readonly tutor: (PromptTutor & { /** Null: no revision of the log. */ readonly revision: number | null }) | null;
  readonly course: { readonly revision: number | null; readonly index: PassageIndex } | null;
}

export interface ScenarioPorts extends Patience {
  /** Answers for its own model. */
  readonly bundled: Llm;
  /** Answers for all others. */
  readonly served: Llm;
  /** Ms, of any beginning. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Passages that a reply may cite, as in a lesson. */
const passageLimit = 5;

/** Asks every turn again, each after what the student lived before it then: one answer that has changed changes no other. */
export async function* runScenario(
  scenario: Scenario,
  against: Against,
  ports: ScenarioPorts,
): AsyncGenerator<TurnComparison, void, undefined> {
  const known = new Map(scenario.passages.map((passage) => [passage.passageId, passage]));
  for (const [at, turn] of scenario.turns.entries()) {
    const before = passagesOf(turn, known);
    const { tutor, tutorRevision } = tutorOf(scenario, turn, against);
    const passages =
      against.course === null || turn.question === null
        ? before
        : against.course.index.search(searchText(turn.question, turn.withheld), passageLimit);
    const request = {
      question: turn.question ?? '',
      language: turn.language,
      history: scenario.turns.slice(0, at).map(({ question, heard }) => ({ question: question ?? '', heard })),
      passages,
      topics: against.course?.index.titles() ?? topicsOf(scenario, turn),
      spoken: turn.spoken,
      tutor,
    };
    const rerun: Rerun = turn.question === null ? { status: 'erased' } : await answer(request, { turn, model: against.model }, ports);
    yield compareTurn(
      { turn: at + 1, recorded: turn, passages: before },
      {
        rerun,
        passages,
        tutorRevision,
        knowledgeRevision: against.course === null ? (turn.retrieved?.knowledgeRevision ?? null) : against.course.revision,
      },
    );
  }
}

async function answer(
  { tutor, ...request }: Omit<ReplyRequest, 'resume' | 'tutor'> & { readonly tutor: PromptTutor },
  { turn, model: wanted }: { readonly turn: ScenarioTurn; readonly model: string | null },
  { bundled, served, now, signal, ...patience }: ScenarioPorts,
): Promise<Rerun> {
  const model = wanted ?? turn.answer?.model ?? bundled.onlyModel ?? '';
  const llm = model === bundled.onlyModel ? bundled : served;
  const startedAt = now();
  let firstTokenMs: number | null = null;
  let text = '';
  const citations = new Set<PassageId>();
  try {
    const asked = { ...request, resume: null, tutor: { ...tutor, model, temperature: turn.answer?.temperature ?? 0 } };
    for await (const fact of converse(asked, { llm, fallback: null }, { ...patience, signal })) {
      if (fact.type === 'delta') firstTokenMs ??= now() - startedAt;
      if (fact.type !== 'sentence') continue;
      text += fact.text;
      for (const passageId of fact.citations) citations.add(passageId);
    }
  } catch (error) {
    if (!(error instanceof ReplyFailure)) throw error;
    return { status: 'failed', code: error.code, provider: llm.provider, model };
  }
  const totalMs = now() - startedAt;
  return {
    ...{ status: 'answered', text, citations: [...citations], provider: llm.provider, model },
    ...{ firstTokenMs: Math.round(firstTokenMs ?? totalMs), totalMs: Math.round(totalMs) },
  };
}

function tutorOf({ tutors }: Scenario, { tutorRevision }: ScenarioTurn, { tutor }: Against) {
  if (tutor !== null) return { tutor, tutorRevision: tutor.revision };
  const recorded = tutors.find(({ revision }) => revision === tutorRevision);
  if (recorded === undefined) throw new Error(`the scenario lacks revision ${tutorRevision} of its tutor`);
  return { tutor: recorded, tutorRevision };
}

function topicsOf({ courses }: Scenario, { retrieved }: ScenarioTurn): readonly string[] {
  return courses.find(({ knowledgeRevision }) => knowledgeRevision === retrieved?.knowledgeRevision)?.titles ?? [];
}

function passagesOf({ retrieved }: ScenarioTurn, known: ReadonlyMap<PassageId, Scenario['passages'][number]>): readonly RankedPassage[] {
  return (retrieved?.passages ?? []).flatMap(({ passageId, score }) => {
    const passage = known.get(passageId);
    return passage === undefined ? [] : [{ ...passage, score }];
  });
}
