import { buildMessages, type Passage, promptHash, type RankedPassage } from '@virtual-tutor/engine';
import { createRedaction, type Redact, withheldTerms } from '@virtual-tutor/engine/scenario';
import {
  type DocumentId,
  DocumentId as DocumentIdSchema,
  type PassageId,
  type Scenario,
  type ScenarioTurn,
  type Turn,
} from '@virtual-tutor/schemas';
import { asHeard } from '../../domain/session.ts';
import type { LessonTurns, TurnFacts } from './lesson-turns.ts';

/** A course as it was at one revision. */
export interface CourseThen {
  readonly titles: readonly string[];
  readonly passages: ReadonlyMap<PassageId, Passage>;
  /** Of its documents. */
  readonly texts: readonly string[];
}

export interface TutorThen {
  readonly name: string;
  readonly systemPrompt: string;
  readonly greeting: string;
}

export interface Materials {
  readonly tutors: ReadonlyMap<number, TutorThen>;
  readonly courses: ReadonlyMap<number, CourseThen>;
}

export interface MakingOptions {
  readonly words: Scenario['words'];
  /** Words to take out besides what is taken out anyway. */
  readonly hide: readonly string[];
}

/** A recorded lesson as one that can be asked again. Words that were erased from the log are null in it. */
export function makeScenario(lesson: LessonTurns, materials: Materials, { words, hide }: MakingOptions): Scenario {
  const { opening, state, facts } = lesson;
  const { tutors, courses } = materials;
  const redact = createRedaction({
    lesson: state.turns.map(({ message }) => message ?? ''),
    course: words.are === 'of_the_course' ? publicWords(materials) : null,
    hide: [...hide, opening.studentId],
  });
  const turns = state.turns.map((turn, at) =>
    scenarioTurn(turn, facts.get(turn.turnId) ?? null, { lesson, materials, before: state.turns.slice(0, at), redact }),
  );
  return {
    ...{ format: 'virtual-tutor-scenario', version: 1, words, locale: opening.locale, tutorId: opening.tutorId },
    tutors: [...tutors].map(([revision, { name, systemPrompt }]) => ({ revision, name, systemPrompt })),
    knowledgeBaseId: opening.knowledgeBaseId,
    courses: [...courses].map(([knowledgeRevision, { titles }]) => ({ knowledgeRevision, titles: [...titles] })),
    passages: passagesUsed(turns, courses),
    turns,
  };
}

function publicWords({ tutors, courses }: Materials): readonly string[] {
  return [
    ...[...courses.values()].flatMap(({ texts, titles }) => [...texts, ...titles]),
    ...[...tutors.values()].flatMap(({ name, systemPrompt, greeting }) => [name, systemPrompt, greeting]),
  ];
}

interface TurnContext {
  readonly lesson: LessonTurns;
  readonly materials: Materials;
  readonly before: readonly Turn[];
  readonly redact: Redact;
}

function scenarioTurn(turn: Turn, facts: TurnFacts | null, context: TurnContext): ScenarioTurn {
  const { redact, lesson } = context;
  const then = ranked(facts, context.materials);
  return {
    language: turn.language,
    ...answerOf(turn, facts, { ...context, passages: then }),
    ...questionOf(turn.message, redact),
    tutorRevision: facts?.started?.tutorRevision ?? lesson.opening.tutorRevision,
    retrieved:
      facts?.retrieved == null
        ? null
        : {
            knowledgeRevision: facts.retrieved.knowledgeRevision,
            passages: then.map(({ passageId, score }) => ({ passageId, score })),
          },
    heard: redact(asHeard(turn).heard),
    end: turn.status === 'waiting' || turn.status === 'replying' ? 'open' : turn.status,
    failure: turn.status === 'failed' ? turn.code : null,
  };
}

function questionOf(message: string | null, redact: Redact): Pick<ScenarioTurn, 'question' | 'withheld'> {
  if (message === null) return { question: null, withheld: { words: 0, pairs: 0 } };
  const question = redact(message);
  return { question, withheld: withheldTerms(message, question) };
}

/** The passages that were found, as long as they are still the same text. */
function ranked(facts: TurnFacts | null, { courses }: Materials): readonly RankedPassage[] {
  if (facts?.retrieved == null) return [];
  const course = courses.get(facts.retrieved.knowledgeRevision);
  return facts.retrieved.passages.flatMap(({ passageId, contentHash, score }) => {
    const passage = course?.passages.get(passageId);
    return passage === undefined || passage.contentHash !== contentHash ? [] : [{ ...passage, score }];
  });
}

function answerOf(
  turn: Turn,
  facts: TurnFacts | null,
  { redact, ...context }: TurnContext & { readonly passages: readonly RankedPassage[] },
): Pick<ScenarioTurn, 'answer' | 'spoken'> {
  const started = facts?.started ?? null;
  if (facts === null || started === null) return { answer: null, spoken: false };
  if (turn.message === null || turn.sentences.some(({ text }) => text === null)) return { answer: null, spoken: facts.spoken };
  const proven = [facts.spoken, !facts.spoken].find((spoken) => promptOf(turn, started, { ...context, spoken }) === started.promptHash);
  const { provider, model, temperature } = started;
  const answer = {
    text: redact(turn.sentences.map(({ text }) => text ?? '').join('')),
    citations: [...new Set(turn.sentences.flatMap(({ citations }) => citations))],
    ...{ provider, model, temperature },
    firstTokenMs: facts.timings?.firstTokenMs ?? null,
    totalMs: facts.timings?.totalMs ?? null,
    reproducible: proven !== undefined,
  };
  return { answer, spoken: proven ?? facts.spoken };
}

/** Hash of the prompt that these parts make, with the words as they were. */
function promptOf(
  turn: Turn,
  { model, temperature, tutorRevision }: NonNullable<TurnFacts['started']>,
  {
    lesson,
    materials,
    before,
    passages,
    spoken,
  }: Omit<TurnContext, 'redact'> & { readonly passages: readonly RankedPassage[]; readonly spoken: boolean },
): string | null {
  const tutor = materials.tutors.get(tutorRevision);
  if (tutor === undefined) return null;
  const revision = lesson.facts.get(turn.turnId)?.retrieved?.knowledgeRevision;
  const topics = revision === undefined ? [] : (materials.courses.get(revision)?.titles ?? []);
  const messages = buildMessages({
    ...{ tutor, language: turn.language, question: turn.message ?? '', passages, topics, spoken },
    history: before.map(asHeard),
  });
  return promptHash({ model, temperature, messages });
}

function passagesUsed(turns: readonly ScenarioTurn[], courses: Materials['courses']): Scenario['passages'] {
  const used = new Map<PassageId, Scenario['passages'][number]>();
  for (const { retrieved } of turns) {
    for (const { passageId } of retrieved?.passages ?? []) {
      const passage = courses.get(retrieved?.knowledgeRevision ?? 0)?.passages.get(passageId);
      if (passage !== undefined) used.set(passageId, { ...passage, documentId: documentIdOf(passage) });
    }
  }
  return [...used.values()];
}

function documentIdOf({ documentId }: Passage): DocumentId {
  return DocumentIdSchema.parse(documentId);
}
