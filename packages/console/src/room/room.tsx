import { createTutorClient, type SessionView } from '@virtual-tutor/sdk';
import { useCallback, useState } from 'react';
import { keptGrant } from '../engine/grants.ts';
import { engineUrl, useStaff } from '../engine/staff.tsx';
import { useAction } from '../engine/use-action.ts';
import { Confirmation } from '../parts/dialog.tsx';
import { ArrowDown } from '../parts/icons.tsx';
import { FailureNotice, Loading } from '../parts/notice.tsx';
import { useTitle } from '../parts/page.tsx';
import { useSpeech } from '../texts/use-language.tsx';
import { Announcer } from './announcer.tsx';
import { Composer } from './composer.tsx';
import { Conversation } from './conversation.tsx';
import { PassageSheet } from './passage-sheet.tsx';
import { RoomHead } from './room-head.tsx';
import { RoomNotices } from './room-notices.tsx';
import { Stage } from './stage.tsx';
import type { OpenedPassage, Speaker } from './turn-view.tsx';
import { useInterrupt } from './use-interrupt.ts';
import { useLesson, useView } from './use-lesson.ts';
import { useOutbox } from './use-outbox.ts';
import { useStayAtEnd } from './use-stay-at-end.ts';
import { useVoice } from './use-voice.ts';

/** The student's room. */
export function Room({ sessionId }: { readonly sessionId: string }) {
  const { say } = useSpeech();
  const { signIn } = useStaff();
  const lesson = useLesson(sessionId, signIn);
  const view = useView(lesson.session);
  const voice = useVoice(lesson.session, view);
  const { isSpoken } = voice;
  const { heard } = voice.captions;
  const outbox = useOutbox(lesson.session, sessionId, view);
  const tutor = speakerOf(view, say('yourTutor'));
  const replying = isReplying(view);
  const stop = useInterrupt(lesson.session, replying);
  const [opened, setOpened] = useState<OpenedPassage | null>(null);
  const [asksToEnd, setAsksToEnd] = useState(false);
  const ending = useAction(useCallback(() => endLesson(sessionId), [sessionId]));
  const { scroller, isAway, toEnd } = useStayAtEnd([view, outbox.unsent, heard]);
  useTitle(say('lessonWith', { name: tutor.name }));

  const { send } = outbox;
  const ask = useCallback(
    (text: string) => {
      send(text);
      toEnd();
    },
    [send, toEnd],
  );
  const { connection } = lesson;
  const isOver = view.ended !== null || connection.failure === 'session_ended';
  const isOpen = !isOver && connection.state !== 'closed';
  return (
    <div className="room">
      <RoomHead
        tutor={tutor}
        connection={connection}
        quotingOnly={quotesOnly(view)}
        mayLeave={signIn.status === 'signedIn'}
        isOver={isOver}
        onEnd={isOpen && view.caughtUp ? () => setAsksToEnd(true) : null}
      />
      <div className="room-body">
        {isOpen ? <Stage voice={voice} lesson={lesson.session} view={view} tutor={tutor} /> : null}
        <div className="room-talk">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller must be reachable by keyboard */}
          <section className="room-scroller" ref={scroller} tabIndex={0} aria-label={say('lessonText')}>
            {connection.state === 'connecting' && view.tutorId === null ? <Loading /> : null}
            <Conversation
              view={view}
              isSpoken={isSpoken}
              heard={heard}
              outbox={outbox}
              tutor={tutor}
              onOpen={setOpened}
              onAskAgain={isOpen ? ask : null}
            />
          </section>
          <Announcer view={view} isSpoken={isSpoken && voice.media.sound === 'on'} />
          <div className="room-foot">
            {isAway ? (
              <button type="button" className="button to-end" onClick={toEnd}>
                <ArrowDown />
                {say('toLatest')}
              </button>
            ) : null}
            {ending.error === null ? null : <FailureNotice error={ending.error} onRetry={ending.run} />}
            <RoomNotices sessionId={sessionId} view={view} lesson={lesson} roles={signIn.status === 'signedIn' ? signIn.roles : []} />
            {isOpen ? <Composer sessionId={sessionId} tutorName={tutor.name} replying={replying} onSend={ask} onStop={stop} /> : null}
          </div>
        </div>
      </div>
      {opened === null ? null : <PassageSheet opened={opened} tutor={tutor} onClose={() => setOpened(null)} />}
      {asksToEnd ? (
        <Confirmation
          title={say('endLessonAsk')}
          body={say('endLessonBody')}
          action={say('endLesson')}
          keep={say('keepGoing')}
          onConfirm={ending.run}
          onClose={() => setAsksToEnd(false)}
        />
      ) : null}
    </div>
  );
}

function speakerOf({ tutorId, tutorName, locale }: SessionView, unnamed: string): Speaker {
  return { id: tutorId ?? '', name: tutorName ?? unnamed, locale };
}

function isReplying({ turns, ended }: SessionView): boolean {
  const status = turns.at(-1)?.status;
  return ended === null && (status === 'waiting' || status === 'replying');
}

/** The wished-for model did not answer the last question. */
function quotesOnly({ turns, ended }: SessionView): boolean {
  return ended === null && turns.at(-1)?.fallback != null;
}

/** With the student's own token, so that the log says who ended it. */
async function endLesson(sessionId: string): Promise<void> {
  const grant = keptGrant(sessionId);
  if (grant === null) return;
  await createTutorClient({ url: engineUrl, apiKey: grant.token }).sessions.end(sessionId);
}
