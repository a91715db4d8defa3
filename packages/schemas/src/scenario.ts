import { z } from 'zod';
import { ErrorCode } from './errors.ts';
import { DocumentId, KnowledgeBaseId, Locale, PassageId, SessionId, Sha256, TutorId } from './ids.ts';

/** Stands for words that were taken out; in an answer it fits whatever a re-run has there. */
export const redactionMark = '▮';
/** Largest scenario file, bytes of UTF-8. */
export const maxScenarioBytes = 16 * 1024 * 1024;

const revision = z.number().int().positive();
const ms = z.number().nonnegative();
/** Longest reply is 20,000 characters (`converse`); marks may make it a little longer. */
const reply = z.string().max(40_000);

/** Whose words are in the file. */
const Words = z.discriminatedUnion('are', [
  /** Nobody's: each word is also one of the course, of the tutor's settings, or one that every sentence may have. */
  z.strictObject({ are: z.literal('of_the_course') }),
  /** The student's, as somebody has read and allowed them. Named with their lesson, so that the file can be found when she is to be forgotten. */
  z.strictObject({ are: z.literal('allowed'), by: z.string().min(1).max(120), at: z.iso.datetime(), sessionId: SessionId }),
]);

const ScenarioPassage = z.strictObject({
  passageId: PassageId,
  documentId: DocumentId,
  title: z.string().min(1).max(200),
  text: z.string().min(1).max(1_000_000),
  /** Of `text`; checked on reading. */
  contentHash: Sha256,
});

const ScenarioAnswer = z.strictObject({
  text: reply,
  citations: z.array(PassageId).max(1_000),
  provider: z.string().max(80),
  model: z.string().max(200),
  temperature: z.number().min(0).max(2),
  /** After the message was handled; null: it never came, or the log has no time of it. */
  firstTokenMs: ms.nullable(),
  totalMs: ms.nullable(),
  /** The parts in this file, with the words that the student really wrote, make the very prompt that was sent: the log has its hash. */
  reproducible: z.boolean(),
});

const ScenarioTurn = z.strictObject({
  language: Locale,
  /** The answer was to be heard: prompts differ by that. */
  spoken: z.boolean(),
  /** Null: erased from the log. It cannot be asked again. */
  question: z.string().max(8_000).nullable(),
  /** How many terms to search by were taken out of it, words and pairs of Chinese characters: a search that finds nothing for them finds less. */
  withheld: z.strictObject({ words: z.number().int().min(0).max(4_000), pairs: z.number().int().min(0).max(4_000) }),
  tutorRevision: revision,
  /** What was found for the question, best first, and at which revision of the course; null: the tutor had none. */
  retrieved: z
    .strictObject({
      knowledgeRevision: z.number().int().nonnegative(),
      passages: z.array(z.strictObject({ passageId: PassageId, score: z.number() })).max(20),
    })
    .nullable(),
  /** Null: none was begun, or its words are erased. */
  answer: ScenarioAnswer.nullable(),
  /** What the student lived of it: later turns were told so. */
  heard: reply,
  end: z.enum(['completed', 'interrupted', 'failed', 'open']),
  failure: ErrorCode.nullable(),
});
export type ScenarioTurn = z.infer<typeof ScenarioTurn>;

/**
 * A lesson to be asked again: against another model, prompt or course. One JSON object, and all it needs but the model. It has no path,
 * no address, no id of a student; of a session only where `words` says so.
 */
export const Scenario = z.strictObject({
  format: z.literal('virtual-tutor-scenario'),
  version: z.literal(1),
  words: Words,
  locale: Locale,
  tutorId: TutorId,
  /** Each revision that answered. */
  tutors: z
    .array(z.strictObject({ revision, name: z.string().max(80), systemPrompt: z.string().max(8_000) }))
    .min(1)
    .max(500),
  knowledgeBaseId: KnowledgeBaseId.nullable(),
  /** Titles of the course's documents at each revision that was searched. */
  courses: z
    .array(z.strictObject({ knowledgeRevision: z.number().int().nonnegative(), titles: z.array(z.string().max(200)).max(10_000) }))
    .max(500),
  passages: z.array(ScenarioPassage).max(10_000),
  turns: z.array(ScenarioTurn).min(1).max(500),
});
export type Scenario = z.infer<typeof Scenario>;
