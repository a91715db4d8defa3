import type { SessionView } from '@virtual-tutor/sdk';
import { sayCode } from '../engine/failure.ts';
import { Notice } from '../parts/notice.tsx';
import { hrefOf } from '../router.ts';
import { useSpeech } from '../texts/use-language.tsx';
import type { Lesson } from './use-lesson.ts';

/** What the student has to know about the lesson itself, and the way forward. */
export function RoomNotices({
  view,
  lesson,
  mayLeave,
}: {
  readonly view: SessionView;
  readonly lesson: Lesson;
  readonly mayLeave: boolean;
}) {
  const { say } = useSpeech();
  const { state, failure } = lesson.connection;
  const home = mayLeave ? (
    <a className="button" href={hrefOf({ view: 'home' })}>
      {say('backToLessons')}
    </a>
  ) : null;
  if (view.ended !== null) {
    return (
      <Notice title={say('ended')} action={home}>
        <p>{say(`ended_${view.ended}`)}</p>
      </Notice>
    );
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
