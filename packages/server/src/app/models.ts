import type { Llm } from '@virtual-tutor/engine';
import type { TutorId, TutorSettings } from '@virtual-tutor/schemas';

/** Which model answers for which tutor: the operator's environment wins over the teacher's setting, that over the default. */
export interface TutorModels {
  readonly providers: { readonly llm: Llm /** Steps in when `llm` cannot answer. */; readonly fallback: Llm | null };
  choose(tutorId: TutorId, settings: TutorSettings): { readonly model: string; readonly temperature: number };
}

export interface ModelDefaults {
  readonly defaultModel: string;
  readonly defaultTemperature: number;
  /** `TUTOR_{id}_LLM_MODEL`. */
  readonly overrides: ReadonlyMap<string, string>;
}

export function createTutorModels(providers: TutorModels['providers'], defaults: ModelDefaults): TutorModels {
  return {
    providers,
    choose: (tutorId, settings) => ({
      model: defaults.overrides.get(tutorId) ?? settings.llmModel ?? defaults.defaultModel,
      temperature: settings.temperature ?? defaults.defaultTemperature,
    }),
  };
}
