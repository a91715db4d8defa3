import type { Captions, Hearing, MediaState, MicState, SessionView, TutorSession } from '@virtual-tutor/sdk';
import { useCaptions, useHearing, useMedia, useMic } from '@virtual-tutor/sdk/react';
import { useCallback, useEffect, useState } from 'react';
import { keepWishes, keptWishes, type VoiceWishes } from './voice-wishes.ts';

export interface Voice {
  readonly media: MediaState;
  readonly mic: MicState;
  readonly captions: Captions;
  readonly hearing: Hearing;
  readonly wishes: VoiceWishes;
  /** Whose media is shown; null while it is not wanted, or not yet possible. */
  readonly session: TutorSession | null;
  /** Replies are paced by the tutor's voice. */
  readonly isSpoken: boolean;
  readonly startTalking: () => void;
  readonly wish: (change: Partial<VoiceWishes>) => void;
  /** Once more, after it was given up. */
  readonly connectAgain: () => void;
}

/** Voice and face of a lesson: the face is there at once, the microphone when it is asked for. */
export function useVoice(lesson: TutorSession | null, view: SessionView): Voice {
  const [wishes, setWishes] = useState(keptWishes);
  const isOpen = lesson !== null && view.caughtUp && view.ended === null;
  const session = isOpen && !wishes.inWriting ? lesson : null;
  const media = useMedia(lesson);
  const mic = useMic(lesson);
  useSoundByGesture(session, media.sound === 'blocked');

  const wish = useCallback(
    (change: Partial<VoiceWishes>) => {
      setWishes((current) => {
        const next = { ...current, ...change };
        keepWishes(next);
        return next;
      });
      if (change.mode !== undefined) lesson?.media.mic.setMode(change.mode);
      // Nothing is heard before the button is held, and then it is meant to be.
      if (change.mode === 'push') lesson?.media.mic.mute(false);
      if (change.inWriting === true) lesson?.media.disconnect();
    },
    [lesson],
  );
  const { mode } = wishes;
  const startTalking = useCallback(() => {
    wish({ inWriting: false });
    // Why it did not work is in the states of media and microphone, and shown.
    lesson?.media.mic.start({ mode }).catch(() => undefined);
    lesson?.media.resume().catch(() => undefined);
  }, [lesson, mode, wish]);
  const connectAgain = useCallback(() => {
    lesson?.media.connect().catch(() => undefined);
  }, [lesson]);
  return {
    media,
    mic,
    captions: useCaptions(lesson),
    hearing: useHearing(lesson),
    wishes,
    session,
    isSpoken: view.quality !== 'text' && (media.status === 'connected' || media.status === 'recovering'),
    startTalking,
    wish,
    connectAgain,
  };
}

/** Browsers let a page make noise after its first gesture: whichever it is, the tutor is heard from then on. */
function useSoundByGesture(session: TutorSession | null, blocked: boolean): void {
  useEffect(() => {
    if (session === null || !blocked) return;
    const left = new AbortController();
    const resume = () => void session.media.resume().catch(() => undefined);
    for (const gesture of ['pointerup', 'keydown'] as const) window.addEventListener(gesture, resume, { signal: left.signal });
    return () => left.abort();
  }, [session, blocked]);
}
