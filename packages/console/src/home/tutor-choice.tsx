import type { Tutor, TutorClient } from '@virtual-tutor/sdk';
import { useCallback, useState } from 'react';
import { keepGrant } from '../engine/grants.ts';
import { useAction } from '../engine/use-action.ts';
import type { Loaded } from '../engine/use-loaded.ts';
import { Avatar } from '../parts/avatar.tsx';
import { Field } from '../parts/field.tsx';
import { Blank, FailureNotice, Loading } from '../parts/notice.tsx';
import { isSlug } from '../parts/slug.ts';
import { hrefOf } from '../router.ts';
import { langOf, useSpeech } from '../texts/use-language.tsx';
import { go } from '../use-route.ts';

const defaultStudent = 'demo-student';

export function TutorChoice({
  client,
  tutors,
  onRetry,
  mayStart,
}: {
  readonly client: TutorClient;
  readonly tutors: Loaded<readonly Tutor[]>;
  readonly onRetry: () => void;
  readonly mayStart: boolean;
}) {
  const { say } = useSpeech();
  const [studentId, setStudentId] = useState(defaultStudent);
  const start = useAction(
    useCallback(
      async (tutorId: string, student: string) => {
        const { grant } = await client.sessions.create({ tutorId, studentId: student });
        keepGrant(grant);
        go({ view: 'lesson', sessionId: grant.sessionId });
      },
      [client],
    ),
  );
  if (tutors.status === 'loading') return <Loading />;
  if (tutors.status === 'failed') return <FailureNotice error={tutors.error} onRetry={onRetry} />;
  const active = tutors.value.filter(({ status }) => status === 'active');
  if (active.length === 0) {
    return (
      <Blank
        title={say('noTutorsTitle')}
        action={
          <a className="button" href={hrefOf({ view: 'desk', tab: 'tutors', id: null })}>
            {say('navDesk')}
          </a>
        }
      >
        <p>{say('noTutorsBody')}</p>
      </Blank>
    );
  }
  const valid = isSlug(studentId);
  return (
    <section aria-label={say('tutors')}>
      <ul className="cards">
        {active.map((tutor) => (
          <TutorCard
            key={tutor.id}
            tutor={tutor}
            busy={start.busy}
            onStart={mayStart && valid ? () => start.run(tutor.id, studentId) : null}
          />
        ))}
      </ul>
      {start.error === null ? null : <FailureNotice error={start.error} />}
      {mayStart ? (
        <div className="student-field">
          <Field label={say('student')} hint={say('studentHint')} problem={valid ? null : say('studentInvalid')}>
            {(wiring) => (
              <input
                {...wiring}
                value={studentId}
                autoComplete="off"
                spellCheck={false}
                onChange={(event) => setStudentId(event.target.value)}
              />
            )}
          </Field>
        </div>
      ) : null}
    </section>
  );
}

function TutorCard({ tutor, busy, onStart }: { readonly tutor: Tutor; readonly busy: boolean; readonly onStart: (() => void) | null }) {
  const { say } = useSpeech();
  const { name, greeting, language } = tutor.settings;
  return (
    <li className="card tutor-card">
      <header>
        <Avatar id={tutor.id} name={name} large />
        <div>
          <h2 lang={langOf(language)}>{name}</h2>
          <p className="tag">{say(language === 'zh' ? 'languageZh' : 'languageEn')}</p>
        </div>
      </header>
      <p className="greeting" lang={langOf(language)}>
        {greeting}
      </p>
      {onStart === null ? null : (
        <button
          type="button"
          className="button button-primary"
          aria-label={busy ? undefined : say('startLessonWith', { name })}
          disabled={busy}
          onClick={onStart}
        >
          {busy ? say('starting') : say('startLesson')}
        </button>
      )}
    </li>
  );
}
