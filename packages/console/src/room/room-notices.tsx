import type { Role, SessionView } from '@virtual-tutor/sdk';
import { sayCode } from '../engine/failure.ts';
import { Notice } from '../parts/notice.tsx';
import { hrefOf, type Route } from '../router.ts';
import { useSpeech } from '../texts/use-language.tsx';
import type { Lesson } from './use-lesson.ts';

/** What the student has to know about the lesson itself, and the way forward. */
export function RoomNotices({
  sessionId,
  view,
  lesson,
  roles,
}: {
  readonly sessionId: string;
  readonly view: SessionView;
  readonly lesson: Lesson;
  /** None for students: whoever came by a one-time link has nowhere else to go. */
  readonly roles: readonly Role[];
}) {
  const { say } = useSpeech();
  const { state, failure } = lesson.connection;
  const home = roles.length === 0 ? null : <WayOut route={{ view: 'home' }} text={say('backToLessons')} />;
  if (view.ended !== null) {
    return (
      <Notice title={say('ended')} action={home}>
        <p>{say(`ended_${view.ended}`)}</p>
      </Notice>
    );
  }
  if (failure === 'session_ended') {
    const replay = <WayOut route={{ view: 'replay', sessionId, revision: null }} text={say('readInAudit')} />;
    return <Notice title={say('ended')} action={roles.includes('auditor') ? replay : home} />;
  }
  if (state === 'reconnecting') {
    return (
      <div className="late">
        <Notice tone="warning" title={say('stateReconnecting')}>
          <p>{say('reconnectingBody')}</p>
        </Notice>
      </div>
    );
  }
  if (state !== 'closed') return null;
  if (failure === 'unauthorized') {
    return (
      <Notice tone="bad" title={say('noAccessTitle')} action={home}>
        <p>{say('noAccessBody')}</p>
      </Notice>
    );
  }
  return (
    <Notice
      tone="bad"
      title={say('closedTitle')}
      action={
        <button type="button" className="button button-primary" onClick={lesson.reconnect}>
          {say('reconnect')}
        </button>
      }
    >
      {failure === null ? null : <p>{sayCode(failure, say)}</p>}
    </Notice>
  );
}

function WayOut({ route, text }: { readonly route: Exclude<Route, { view: 'unknown' }>; readonly text: string }) {
  return (
    <a className="button" href={hrefOf(route)}>
      {text}
    </a>
  );
}
