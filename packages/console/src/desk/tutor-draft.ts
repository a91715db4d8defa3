import type { Tutor, TutorSettings } from '@virtual-tutor/sdk';
import { isSlug } from '../parts/slug.ts';
import type { Language } from '../texts/texts.ts';

/** A tutor's settings as they stand in the form: numbers and ids are text until saved. */
export interface TutorDraft {
  readonly id: string;
  readonly name: string;
  readonly language: Language;
  readonly systemPrompt: string;
  readonly llmModel: string;
  readonly temperature: string;
  readonly knowledgeBaseId: string;
  readonly greeting: string;
  readonly voice: string;
  readonly face: '' | 'ada' | 'xiaolan';
  /** A filmed tutor in place of the drawn one. */
  readonly avatarId: string;
}

export function emptyDraft(language: Language): TutorDraft {
  return {
    id: '',
    name: '',
    language,
    systemPrompt: '',
    llmModel: '',
    temperature: '',
    knowledgeBaseId: '',
    greeting: '',
    voice: '',
    face: '',
    avatarId: '',
  };
}

export function draftOf({ id, settings }: Tutor): TutorDraft {
  const { llmModel, temperature, knowledgeBaseId, voice, face, avatarId } = settings;
  return {
    ...settings,
    id,
    llmModel: llmModel ?? '',
    temperature: temperature === null ? '' : String(temperature),
    knowledgeBaseId: knowledgeBaseId ?? '',
    voice: voice ?? '',
    face: face ?? '',
    avatarId: avatarId ?? '',
  };
}

/** Null while something in it is not valid. */
export function settingsOf(draft: TutorDraft): TutorSettings | null {
  const { name, language, systemPrompt, llmModel, knowledgeBaseId, greeting, voice, face, avatarId } = draft;
  if (!isSlug(draft.id) || name.trim() === '' || !temperatureIsValid(draft.temperature)) return null;
  return {
    name: name.trim(),
    language,
    systemPrompt,
    llmModel: llmModel.trim() === '' ? null : llmModel.trim(),
    temperature: draft.temperature.trim() === '' ? null : Number(draft.temperature),
    knowledgeBaseId: knowledgeBaseId === '' ? null : knowledgeBaseId,
    greeting,
    voice: voice.trim() === '' ? null : voice.trim(),
    face: face === '' ? null : face,
    avatarId: avatarId === '' ? null : avatarId,
  };
}

export function temperatureIsValid(text: string): boolean {
  const value = Number(text);
  return text.trim() === '' || (value >= 0 && value <= 2);
}
