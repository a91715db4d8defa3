import type { SessionView, TutorSession } from '@virtual-tutor/sdk';
import { useState } from 'react';
import { Mic } from '../parts/icons.tsx';
import { useSpeech } from '../texts/use-language.tsx';
import { CaptionLine } from './caption-line.tsx';
import { Face } from './face.tsx';
import { StageNotice } from './stage-notice.tsx';
import { TalkControls } from './talk-controls.tsx';
import { TalkStatus } from './talk-status.tsx';
import type { Speaker } from './turn-view.tsx';
import { usePushToTalk } from './use-push-to-talk.ts';
import type { Voice } from './use-voice.ts';
import { VoiceSettings } from './voice-settings.tsx';

/** The tutor face to face: picture, words as they are said, and the student's microphone. */
export function Stage({
  voice,
  lesson,
  view,
  tutor,
}: {
  readonly voice: Voice;
  readonly lesson: TutorSession | null;
  readonly view: SessionView;
  readonly tutor: Speaker;
}) {
  const { say } = useSpeech();
  const [showsSettings, setShowsSettings] = useState(false);
  const { media, mic, captions, wishes } = voice;
  usePushToTalk(voice.session, mic.status === 'on' && mic.mode === 'push');
  if (wishes.inWriting) {
    return (
      <section className="stage stage-writing" aria-label={say('stage')}>
        <p className="hint">{say('textOnlyTitle')}</p>
        <button type="button" className="button" onClick={() => voice.wish({ inWriting: false })}>
          <Mic />
          {say('backToVoice')}
        </button>
      </section>
    );
  }
  const isOut = media.status === 'failed' && !media.retrying;
  const speaking = captions.current !== null && !captions.current.paused;
  return (
    <section className={isOut ? 'stage stage-out' : 'stage'} aria-label={say('stage')}>
      {isOut ? null : <Face session={voice.session} media={media} tutor={tutor} speaking={speaking} />}
      {isOut ? null : (
        <div className="stage-words">
          <CaptionLine tutor={tutor} caption={captions.current} hearing={voice.hearing} />
          {lesson === null ? null : <TalkControls voice={voice} session={lesson} onSettings={() => setShowsSettings(true)} />}
          <TalkStatus voice={voice} tutor={tutor} />
        </div>
      )}
      <StageNotice voice={voice} view={view} tutor={tutor} />
      {showsSettings && lesson !== null ? <VoiceSettings voice={voice} session={lesson} onClose={() => setShowsSettings(false)} /> : null}
    </section>
  );
}
