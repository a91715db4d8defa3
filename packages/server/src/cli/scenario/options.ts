export const scenarioUsage = `  replay SESSION --as-scenario FILE [--at REVISION] [--hide WORD]... [--with-words [--confirmed-by NAME]] [--json]
                                    a lesson to ask again, without the student's words but those of the course;
                                    --with-words: with hers, shown first, and written once NAME has read and allowed them
  scenario run FILE [--model MODEL] [--prompt FILE | --tutor REVISION|now] [--knowledge REVISION|now|FOLDER]
      [--fail-on answer|citations|failure] [--json]
                                    asks its questions again, and shows what is answered otherwise; ends with 1 when it is.
                                    Without an option: as it was then. MODEL: one of Ollama's, or quotes-1, which is bundled`;

export const scenarioOptions = {
  'as-scenario': { type: 'string' },
  'with-words': { type: 'boolean' },
  'confirmed-by': { type: 'string' },
  hide: { type: 'string', multiple: true },
  model: { type: 'string' },
  prompt: { type: 'string' },
  tutor: { type: 'string' },
  knowledge: { type: 'string' },
  'fail-on': { type: 'string' },
} as const;

export interface ScenarioOptions {
  readonly 'as-scenario'?: string | undefined;
  readonly 'with-words'?: boolean | undefined;
  readonly 'confirmed-by'?: string | undefined;
  readonly hide?: readonly string[] | undefined;
  readonly model?: string | undefined;
  readonly prompt?: string | undefined;
  readonly tutor?: string | undefined;
  readonly knowledge?: string | undefined;
  readonly 'fail-on'?: string | undefined;
}
