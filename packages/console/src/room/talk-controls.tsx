import type { TutorSession } from '@virtual-tutor/sdk';
import { useMicLevel } from '@virtual-tutor/sdk/react';
import { type CSSProperties, type KeyboardEvent, type RefObject, useEffect, useRef } from 'react';
import { Mic, MicOff, Sliders, Sound, SoundOff } from '../parts/icons.tsx';
import { useSpeech } from '../texts/use-language.tsx';
import type { Voice } from './use-voice.ts';

/** Sound, microphone, settings: in the middle what matters most. */
export function TalkControls({
  voice,
  session,
  onSettings,
}: {
  readonly voice: Voice;
  readonly session: TutorSession;
  readonly onSettings: () => void;
}) {
  const { say } = useSpeech();
  const isHeard = voice.media.sound === 'on';
  const soundLabel = say(isHeard ? 'soundOff' : 'soundOn');
  return (
    <div className="talk-controls">
      <button
        type="button"
        className="button button-round"
        aria-label={soundLabel}
        title={soundLabel}
        onClick={() => (isHeard ? session.media.setSound({ on: false }) : void session.media.resume().catch(() => undefined))}
      >
        {isHeard ? <Sound /> : <SoundOff />}
      </button>
      <Talk voice={voice} session={session} />
      <button
        type="button"
        className="button button-round"
        aria-label={say('voiceSettings')}
        title={say('voiceSettings')}
        onClick={onSettings}
      >
        <Sliders />
      </button>
    </div>
  );
}

function Talk({ voice, session }: { readonly voice: Voice; readonly session: TutorSession }) {
  const { say } = useSpeech();
  const { media, mic } = voice;
  if (media.abilities?.listens === false) return null;
  if (mic.status === 'on') {
    return mic.mode === 'open' ? <OpenMic session={session} muted={mic.muted} /> : <HoldToTalk session={session} sending={mic.sending} />;
  }
  return (
    <button type="button" className="button button-primary talk-start" aria-disabled={mic.status === 'asking'} onClick={voice.startTalking}>
      <Mic />
      {say('startTalking')}
    </button>
  );
}

function OpenMic({ session, muted }: { readonly session: TutorSession; readonly muted: boolean }) {
  const { say } = useSpeech();
  const label = say(muted ? 'micUnmute' : 'micMute');
  return (
    <button
      ref={useInheritedFocus()}
      type="button"
      className={muted ? 'button mic mic-muted' : 'button button-primary mic'}
      style={useLevelStyle(session)}
      aria-label={label}
      title={label}
      onClick={() => session.media.mic.mute(!muted)}
    >
      {muted ? <MicOff /> : <Mic />}
    </button>
  );
}

function HoldToTalk({ session, sending }: { readonly session: TutorSession; readonly sending: boolean }) {
  const { say } = useSpeech();
  const { mic } = session.media;
  const button = useInheritedFocus();
  const isTalkKey = ({ key }: KeyboardEvent) => key === ' ' || key === 'Enter';
  return (
    <button
      ref={button}
      type="button"
      className={sending ? 'button button-primary talk-hold talk-hold-on' : 'button button-primary talk-hold'}
      style={useLevelStyle(session)}
      aria-pressed={sending}
      onPointerDown={({ currentTarget, pointerId, button }) => {
        if (button !== 0) return;
        currentTarget.setPointerCapture(pointerId);
        mic.press();
      }}
      onPointerUp={() => mic.release()}
      onPointerCancel={() => mic.release()}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (!isTalkKey(event)) return;
        event.preventDefault();
        if (!event.repeat) mic.press();
      }}
      onKeyUp={(event) => {
        if (isTalkKey(event)) mic.release();
      }}
      onBlur={() => mic.release()}
    >
      <Mic />
      {say(sending ? 'releaseToSend' : 'holdToTalk')}
    </button>
  );
}

function useLevelStyle(session: TutorSession): CSSProperties {
  const level: Record<`--${string}`, number> = { '--level': useMicLevel(session) };
  return level;
}

/** A button that takes the place of the one just pressed takes its focus, too: whoever uses the keyboard is not sent back to the start. */
function useInheritedFocus(): RefObject<HTMLButtonElement | null> {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (document.activeElement === document.body) button.current?.focus({ preventScroll: true });
  }, []);
  return button;
}
