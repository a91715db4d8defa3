import type { Tutor } from '@virtual-tutor/sdk';
import { type SyntheticEvent, useState } from 'react';
import { Field } from '../parts/field.tsx';
import { isSlug } from '../parts/slug.ts';
import { useSpeech } from '../texts/use-language.tsx';

const lifetimes = [
  { seconds: 900, text: 'minutes15' },
  { seconds: 3_600, text: 'hour1' },
  { seconds: 86_400, text: 'hours24' },
] as const;

export function NewLink({
  tutors,
  busy,
  onMake,
}: {
  readonly tutors: readonly Tutor[];
  readonly busy: boolean;
  readonly onMake: (tutorId: string, studentId: string, ttlSeconds: number) => void;
}) {
  const { say } = useSpeech();
  const [tutorId, setTutorId] = useState(tutors[0]?.id ?? '');
  const [studentId, setStudentId] = useState('');
  const [ttlSeconds, setTtlSeconds] = useState<number>(900);
  const onSubmit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (isSlug(studentId)) onMake(tutorId, studentId, ttlSeconds);
  };
  const problem = studentId === '' || isSlug(studentId) ? null : say('studentInvalid');
  return (
    <form className="form card" onSubmit={onSubmit}>
      <h2>{say('makeLinkTitle')}</h2>
      <div className="field-row">
        <Field label={say('student')} hint={say('studentHint')} problem={problem}>
          {(wiring) => (
            <input
              {...wiring}
              required
              autoComplete="off"
              spellCheck={false}
              value={studentId}
              onChange={(event) => setStudentId(event.target.value)}
            />
          )}
        </Field>
        <Field label={say('tutor')}>
          {(wiring) => (
            <select {...wiring} value={tutorId} onChange={(event) => setTutorId(event.target.value)}>
              {tutors.map(({ id, settings }) => (
                <option key={id} value={id}>
                  {settings.name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={say('linkValid')}>
          {(wiring) => (
            <select {...wiring} value={ttlSeconds} onChange={(event) => setTtlSeconds(Number(event.target.value))}>
              {lifetimes.map(({ seconds, text }) => (
                <option key={seconds} value={seconds}>
                  {say(text)}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <div className="form-actions">
        <button type="submit" className="button button-primary" disabled={busy || tutorId === '' || !isSlug(studentId)}>
          {say(busy ? 'makingLink' : 'makeLink')}
        </button>
      </div>
    </form>
  );
}
