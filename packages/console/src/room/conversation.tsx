import type { Captions, SessionView } from '@virtual-tutor/sdk';
import { sayCode } from '../engine/failure.ts';
import { useSpeech } from '../texts/use-language.tsx';
import type { Unsent } from './outbox.ts';
import { RichText } from './rich-text.tsx';
import { shownReply } from './shown-reply.ts';
import { type OpenedPassage, type Speaker, StudentSaid, TurnView, TutorSaid } from './turn-view.tsx';
import type { Outbox } from './use-outbox.ts';

export function Conversation({
  view,
  isSpoken,
  heard,
  outbox,
  tutor,
  onOpen,
  onAskAgain,
}: {
  readonly view: SessionView;
  readonly isSpoken: boolean;
  readonly heard: Captions['heard'];
  readonly outbox: Outbox;
  readonly tutor: Speaker;
  readonly onOpen: (opened: OpenedPassage) => void;
  readonly onAskAgain: ((text: string) => void) | null;
}) {
  const { say } = useSpeech();
  return (
    <ol className="conversation" aria-label={say('conversation')}>
      {view.greeting === null || view.greeting === '' ? null : (
        <li className="turn">
          <TutorSaid tutor={tutor}>
            <RichText text={view.greeting} />
          </TutorSaid>
        </li>
      )}
      {view.turns.map((turn) => (
        <TurnView
          key={turn.turnId}
          turn={turn}
          reply={shownReply(turn, { spoken: isSpoken, heard })}
          tutor={tutor}
          onOpen={onOpen}
          onAskAgain={onAskAgain}
        />
      ))}
      {outbox.unsent.map((message) => (
        <UnsentView key={message.clientMessageId} message={message} outbox={outbox} />
      ))}
    </ol>
  );
}

function UnsentView({ message, outbox }: { readonly message: Unsent; readonly outbox: Outbox }) {
  const { say } = useSpeech();
  const { failure } = message;
  return (
    <li className="turn">
      <StudentSaid text={message.text}>
        {failure === null ? (
          <p className="delivery">{say('sending')}</p>
        ) : (
          <div className="delivery delivery-failed" role="alert">
            <p>
              {say('notSent')} {sayCode(failure, say)}
            </p>
            <button type="button" className="button button-quiet" onClick={() => outbox.sendAgain(message)}>
              {say('sendAgain')}
            </button>
            <button type="button" className="button button-quiet" onClick={() => outbox.discard(message)}>
              {say('discard')}
            </button>
          </div>
        )}
      </StudentSaid>
    </li>
  );
}
