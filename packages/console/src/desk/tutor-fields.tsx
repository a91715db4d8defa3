import type { Avatar, KnowledgeBase } from '@virtual-tutor/sdk';
import { useId } from 'react';
import { Field } from '../parts/field.tsx';
import { isSlug } from '../parts/slug.ts';
import { langOf, useSpeech } from '../texts/use-language.tsx';
import { type TutorDraft, temperatureIsValid } from './tutor-draft.ts';

interface FieldsProps {
  readonly draft: TutorDraft;
  readonly onChange: (changes: Partial<TutorDraft>) => void;
}

export function TutorFields({
  draft,
  isNew,
  bases,
  faces,
  onChange,
}: FieldsProps & {
  readonly isNew: boolean;
  readonly bases: readonly KnowledgeBase[];
  /** Filmed tutors to choose from. */
  readonly faces: readonly Avatar[];
}) {
  const { say } = useSpeech();
  const lang = langOf(draft.language);
  return (
    <>
      <div className="field-row">
        <Field label={say('fieldName')}>
          {(wiring) => (
            <input
              {...wiring}
              required
              maxLength={80}
              lang={lang}
              value={draft.name}
              onChange={(event) => onChange({ name: event.target.value })}
            />
          )}
        </Field>
        {isNew ? (
          <Field label={say('fieldId')} hint={say('fieldIdHint')} problem={draft.id === '' || isSlug(draft.id) ? null : say('invalidSlug')}>
            {(wiring) => (
              <input
                {...wiring}
                required
                maxLength={64}
                autoComplete="off"
                spellCheck={false}
                value={draft.id}
                onChange={(event) => onChange({ id: event.target.value })}
              />
            )}
          </Field>
        ) : null}
        <Field label={say('fieldLanguage')}>
          {(wiring) => (
            <select
              {...wiring}
              value={draft.language}
              onChange={(event) => onChange({ language: event.target.value === 'zh' ? 'zh' : 'en' })}
            >
              <option value="en">{say('languageEn')}</option>
              <option value="zh">{say('languageZh')}</option>
            </select>
          )}
        </Field>
        <Field label={say('fieldKnowledge')}>
          {(wiring) => (
            <select {...wiring} value={draft.knowledgeBaseId} onChange={(event) => onChange({ knowledgeBaseId: event.target.value })}>
              <option value="">{say('noKnowledge')}</option>
              {bases.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <Field label={say('fieldGreeting')} hint={say('fieldGreetingHint')}>
        {(wiring) => (
          <textarea
            {...wiring}
            rows={3}
            maxLength={1_000}
            lang={lang}
            value={draft.greeting}
            onChange={(event) => onChange({ greeting: event.target.value })}
          />
        )}
      </Field>
      <Field label={say('fieldPrompt')} hint={say('fieldPromptHint')}>
        {(wiring) => (
          <textarea
            {...wiring}
            rows={7}
            maxLength={8_000}
            lang={lang}
            value={draft.systemPrompt}
            onChange={(event) => onChange({ systemPrompt: event.target.value })}
          />
        )}
      </Field>
      <VoiceFields draft={draft} faces={faces} onChange={onChange} />
      <ModelFields draft={draft} onChange={onChange} />
    </>
  );
}

/** Voices that come with the engine; others are named by hand. */
const embeddedVoices = { en: ['slt', 'rms', 'kal', 'awb'], zh: ['cmn'] } as const;

function VoiceFields({ draft, faces, onChange }: FieldsProps & { readonly faces: readonly Avatar[] }) {
  const { say } = useSpeech();
  const listId = useId();
  return (
    <div className="field-row">
      <Field label={say('fieldFace')}>
        {(wiring) => (
          <select
            {...wiring}
            value={draft.face}
            onChange={({ target: { value } }) => onChange({ face: value === 'ada' || value === 'xiaolan' ? value : '' })}
          >
            <option value="">{say('faceOfLanguage')}</option>
            <option value="ada">{say('face_ada')}</option>
            <option value="xiaolan">{say('face_xiaolan')}</option>
          </select>
        )}
      </Field>
      {faces.length === 0 && draft.avatarId === '' ? null : (
        <Field label={say('fieldFilmed')}>
          {(wiring) => (
            <select {...wiring} value={draft.avatarId} onChange={({ target }) => onChange({ avatarId: target.value })}>
              <option value="">{say('noFilmed')}</option>
              {draft.avatarId === '' || faces.some(({ id }) => id === draft.avatarId) ? null : (
                <option value={draft.avatarId}>{say('withdrawnFace')}</option>
              )}
              {faces.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <Field label={say('fieldVoice')} hint={say('fieldVoiceHint')}>
        {(wiring) => (
          <>
            <input
              {...wiring}
              maxLength={80}
              list={listId}
              spellCheck={false}
              autoComplete="off"
              value={draft.voice}
              onChange={(event) => onChange({ voice: event.target.value })}
            />
            <datalist id={listId}>
              {embeddedVoices[draft.language].map((voice) => (
                <option key={voice} value={voice} />
              ))}
            </datalist>
          </>
        )}
      </Field>
    </div>
  );
}

function ModelFields({ draft, onChange }: FieldsProps) {
  const { say } = useSpeech();
  return (
    <details className="advanced">
      <summary>{say('advanced')}</summary>
      <div className="field-row">
        <Field label={say('fieldModel')} hint={say('fieldModelHint')}>
          {(wiring) => (
            <input
              {...wiring}
              maxLength={200}
              spellCheck={false}
              autoComplete="off"
              value={draft.llmModel}
              onChange={(event) => onChange({ llmModel: event.target.value })}
            />
          )}
        </Field>
        <Field
          label={say('fieldTemperature')}
          hint={say('fieldTemperatureHint')}
          problem={temperatureIsValid(draft.temperature) ? null : say('fieldTemperatureHint')}
        >
          {(wiring) => (
            <input
              {...wiring}
              inputMode="decimal"
              value={draft.temperature}
              onChange={(event) => onChange({ temperature: event.target.value })}
            />
          )}
        </Field>
      </div>
    </details>
  );
}
