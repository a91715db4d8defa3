import type { Session, Tutor, TutorClient } from '@virtual-tutor/sdk';
import { useCallback } from 'react';
import { firstOf } from '../engine/pages.ts';
import { useLoaded } from '../engine/use-loaded.ts';
import { Avatar } from '../parts/avatar.tsx';
import { hrefOf } from '../router.ts';
import { langOf, useSpeech } from '../texts/use-language.tsx';

/** Rows on the home page; the rest is on the desk. */
const shown = 4;

export function OpenLessons({ client, tutors }: { readonly client: TutorClient; readonly tutors: readonly Tutor[] }) {
  const { say } = useSpeech();
  const { loaded } = useLoaded(
    useCallback((signal: AbortSignal) => firstOf(client.sessions.list({ status: 'active' }, { signal }), shown), [client]),
  );
  // A convenience: when it cannot be had, the page is whole without it.
  if (loaded.status !== 'loaded' || loaded.value.length === 0) return null;
  return (
    <section className="open-lessons" aria-labelledby="open-lessons">
      <h2 id="open-lessons">{say('openLessons')}</h2>
      <ul className="rows">
        {loaded.value.map((session) => (
          <OpenLesson key={session.id} session={session} tutor={tutors.find(({ id }) => id === session.tutorId)} />
        ))}
      </ul>
    </section>
  );
}

function OpenLesson({ session, tutor }: { readonly session: Session; readonly tutor: Tutor | undefined }) {
  const { say, dateTime, number } = useSpeech();
  const name = tutor?.settings.name ?? session.tutorId;
  const when = dateTime(session.createdAt);
  return (
    <li>
      <a className="row" href={hrefOf({ view: 'lesson', sessionId: session.id })}>
        <Avatar id={session.tutorId} name={name} />
        <span className="row-words">
          <span className="row-title" lang={langOf(session.locale)}>
            {name}
          </span>
          <span className="row-facts">
            {session.studentId} · <time dateTime={session.createdAt}>{when}</time> ·{' '}
            {say('questionsAsked', { count: number(session.turns) })}
          </span>
        </span>
        <span className="row-action">{say('continueLesson')}</span>
      </a>
    </li>
  );
}
