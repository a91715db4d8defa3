import { z } from 'zod';
import type { EventCatalogue, EventOf, NewEventOf } from './event-definition.ts';
import { KnowledgeBaseId, Locale } from './ids.ts';

/** Half a surrogate pair has no canonical JSON. */
const text = () => z.string().overwrite((value) => value.toWellFormed());

export const TutorSettings = z.strictObject({
  name: text().min(1).max(80),
  language: Locale,
  systemPrompt: text().max(8_000),
  /** Null: the engine's `DEFAULT_LLM_MODEL`. */
  llmModel: text().min(1).max(200).nullable(),
  /** Null: the engine's `LLM_TEMPERATURE`. */
  temperature: z.number().min(0).max(2).nullable(),
  knowledgeBaseId: KnowledgeBaseId.nullable(),
  /** Shown before the first turn; never sent to the model. */
  greeting: text().max(1_000),
});
export type TutorSettings = z.infer<typeof TutorSettings>;

export const tutorEvents = {
  TutorConfigured: { version: 1, payload: z.strictObject({ before: TutorSettings.nullable(), after: TutorSettings }) },
  TutorRetired: { version: 1, payload: z.strictObject({}) },
} as const satisfies EventCatalogue;

export type TutorEvent = EventOf<typeof tutorEvents>;
export type NewTutorEvent = NewEventOf<typeof tutorEvents>;
