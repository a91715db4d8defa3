import type { Say } from '../texts/texts.ts';
import { useSpeech } from '../texts/use-language.tsx';
import type { Speaker } from './turn-view.tsx';
import type { Voice } from './use-voice.ts';

/** One line that says whether the student is heard. */
export function TalkStatus({ voice, tutor }: { readonly voice: Voice; readonly tutor: Speaker }) {
  const { say } = useSpeech();
  return (
    <p className="talk-status" role="status">
      {statusOf(voice, tutor.name, say)}
    </p>
  );
}

function statusOf({ mic, hearing, captions, media }: Voice, name: string, say: Say): string {
  if (mic.status === 'asking') return say('askingMic');
  if (mic.status !== 'on') return media.abilities?.listens === true ? say('talkHint') : '';
  if (mic.muted) return say('mutedNow');
  if (hearing.notUnderstood !== null && !hearing.voice) return say(`notUnderstood_${hearing.notUnderstood}`, { name });
  if (hearing.voice) return say('hearsYou', { name });
  if (captions.current?.paused === true) return say('tutorWaits', { name });
  if (mic.sending) return say('listensNow', { name });
  return say('holdHint');
}
