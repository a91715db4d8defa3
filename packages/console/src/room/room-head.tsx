import { Avatar } from '../parts/avatar.tsx';
import { ArrowLeft } from '../parts/icons.tsx';
import { LanguageSwitch } from '../parts/language-switch.tsx';
import { Heading } from '../parts/page.tsx';
import { hrefOf } from '../router.ts';
import type { TextKey } from '../texts/texts.ts';
import { useSpeech } from '../texts/use-language.tsx';
import type { Speaker } from './turn-view.tsx';
import type { Connection } from './use-lesson.ts';

const stateTexts = {
  connecting: 'stateConnecting',
  connected: 'stateConnected',
  reconnecting: 'stateReconnecting',
  closed: 'stateClosed',
} as const satisfies Record<Connection['state'], TextKey>;

export function RoomHead({
  tutor,
  connection,
  quotingOnly,
  mayLeave,
  isOver,
  onEnd,
}: {
  readonly tutor: Speaker;
  readonly connection: Connection;
  /** The wished-for model did not answer the last question. */
  readonly quotingOnly: boolean;
  /** Whoever came by a one-time link has nowhere else to go. */
  readonly mayLeave: boolean;
  readonly isOver: boolean;
  /** Null while there is nothing to end. */
  readonly onEnd: (() => void) | null;
}) {
  const { say } = useSpeech();
  const state = isOver ? say('ended') : say(stateTexts[connection.state]);
  return (
    <header className="room-head">
      {mayLeave ? (
        <a className="button button-icon" href={hrefOf({ view: 'home' })} aria-label={say('backToLessons')}>
          <ArrowLeft />
        </a>
      ) : null}
      <Avatar id={tutor.id} name={tutor.name} />
      <div className="room-title">
        <Heading>
          <span className="visually-hidden">{say('lessonWith', { name: tutor.name })}</span>
          <span aria-hidden="true">{tutor.name}</span>
        </Heading>
        <p className={`connection connection-${isOver ? 'ended' : connection.state}`} role="status">
          {state}
          {quotingOnly ? <span className="degraded"> {say('quotingOnly')}</span> : null}
        </p>
      </div>
      <LanguageSwitch />
      {onEnd === null ? null : (
        <button type="button" className="button" onClick={onEnd}>
          {say('endLesson')}
        </button>
      )}
    </header>
  );
}
