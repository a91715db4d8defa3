import { z } from 'zod';
import type { EventCatalogue, EventOf, NewEventOf } from './event-definition.ts';
import { AvatarId, KnowledgeBaseId, Locale } from './ids.ts';

/** Half a surrogate pair has no canonical JSON. */
const text = () => z.string().overwrite((value) => value.toWellFormed());

/** The drawn tutors. */
export const Face = z.enum(['ada', 'xiaolan']);
export type Face = z.infer<typeof Face>;

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
  /** A voice of one of the engine's synthesisers; null: the default of the language. */
  voice: text().min(1).max(80).nullable(),
  /** Who is seen; null: the default of the language. */
  face: Face.nullable(),
  /** A filmed tutor, seen in place of `face` while it is ready; null: none. */
  avatarId: AvatarId.nullable(),
});
export type TutorSettings = z.infer<typeof TutorSettings>;

type Before = Readonly<Record<string, unknown>>;

/** Settings of an older version with what that did not know yet. */
function adding(absent: Before): (payload: Before) => Before {
  const complete = (settings: unknown) => (settings === null ? null : { ...z.looseObject({}).parse(settings), ...absent });
  return ({ before, after }) => ({ before: complete(before), after: complete(after) });
}

export const tutorEvents = {
  TutorConfigured: {
    version: 3,
    payload: z.strictObject({ before: TutorSettings.nullable(), after: TutorSettings }),
    // Version 1 knew text lessons only, version 2 drawn faces only.
    upcasts: { 1: adding({ voice: null, face: null }), 2: adding({ avatarId: null }) },
  },
  TutorRetired: { version: 1, payload: z.strictObject({}) },
} as const satisfies EventCatalogue;

export type TutorEvent = EventOf<typeof tutorEvents>;
export type NewTutorEvent = NewEventOf<typeof tutorEvents>;
