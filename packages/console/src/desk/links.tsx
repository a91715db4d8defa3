import type { Session, Tutor, TutorClient } from '@virtual-tutor/sdk';
import { useCallback, useState } from 'react';
import { firstOf } from '../engine/pages.ts';
import { useAction } from '../engine/use-action.ts';
import { useLoaded } from '../engine/use-loaded.ts';
import { Avatar } from '../parts/avatar.tsx';
import { Blank, FailureNotice, Loading, Notice } from '../parts/notice.tsx';
import { langOf, useSpeech } from '../texts/use-language.tsx';
import { MadeLink, type StudentLink } from './made-link.tsx';
import { NewLink } from './new-link.tsx';

const defaultTtlSeconds = 900;

/** One-time links into lessons. */
export function Links({ client, mayCreate }: { readonly client: TutorClient; readonly mayCreate: boolean }) {
  const { say } = useSpeech();
  const [made, setMade] = useState<StudentLink | null>(null);
  const load = useCallback(
    async (signal: AbortSignal) => ({
      tutors: await firstOf(client.tutors.list({ signal })),
      sessions: await firstOf(client.sessions.list({ status: 'active' }, { signal }), 100),
    }),
    [client],
  );
  const { loaded, reload } = useLoaded(load);
  const invite = useAction(
    useCallback(
      async ({ id, studentId }: Pick<Session, 'id' | 'studentId'>, ttlSeconds: number) => {
        setMade({ studentId, ...(await client.sessions.invite(id, { ttlSeconds })) });
      },
      [client],
    ),
  );
  const start = useAction(
    useCallback(
      async (tutorId: string, studentId: string, ttlSeconds: number) => {
        const { session } = await client.sessions.create({ tutorId, studentId });
        setMade({ studentId, ...(await client.sessions.invite(session.id, { ttlSeconds })) });
        reload();
      },
      [client, reload],
    ),
  );
  if (loaded.status === 'loading') return <Loading />;
  if (loaded.status === 'failed') return <FailureNotice error={loaded.error} onRetry={reload} />;
  const { tutors, sessions } = loaded.value;
  const error = invite.error ?? start.error;
  return (
    <>
      {mayCreate ? (
        <NewLink tutors={tutors.filter(({ status }) => status === 'active')} busy={start.busy} onMake={start.run} />
      ) : (
        <Notice>
          <p>{say('linksNeedOperator')}</p>
        </Notice>
      )}
      {error === null ? null : <FailureNotice error={error} />}
      {made === null ? null : <MadeLink key={made.url} link={made} />}
      <OpenSessions sessions={sessions} tutors={tutors} busy={invite.busy} onMake={(session) => invite.run(session, defaultTtlSeconds)} />
    </>
  );
}

function OpenSessions({
  sessions,
  tutors,
  busy,
  onMake,
}: {
  readonly sessions: readonly Session[];
  readonly tutors: readonly Tutor[];
  readonly busy: boolean;
  readonly onMake: (session: Session) => void;
}) {
  const { say, dateTime } = useSpeech();
  return (
    <section aria-labelledby="open-sessions">
      <h2 id="open-sessions">{say('openLessonsTitle')}</h2>
      {sessions.length === 0 ? <Blank title={say('noOpenLessons')} /> : null}
      <ul className="rows">
        {sessions.map((session) => {
          const name = tutors.find(({ id }) => id === session.tutorId)?.settings.name ?? session.tutorId;
          return (
            <li key={session.id} className="row row-still">
              <Avatar id={session.tutorId} name={name} />
              <span className="row-words">
                <span className="row-title">{session.studentId}</span>
                <span className="row-facts">
                  <span lang={langOf(session.locale)}>{name}</span> ·{' '}
                  <time dateTime={session.createdAt}>{dateTime(session.createdAt)}</time>
                </span>
              </span>
              <button
                type="button"
                className="button"
                disabled={busy}
                aria-label={say('makeLinkForStudent', { student: session.studentId })}
                onClick={() => onMake(session)}
              >
                {say('makeLink')}
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
