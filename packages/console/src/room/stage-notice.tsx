import type { SessionView } from '@virtual-tutor/sdk';
import type { ReactNode } from 'react';
import { codeOf, sayCode } from '../engine/failure.ts';
import { Notice } from '../parts/notice.tsx';
import { useSpeech } from '../texts/use-language.tsx';
import type { Speaker } from './turn-view.tsx';
import type { Voice } from './use-voice.ts';

/** Why something of voice and face is not there, and the way forward: what is most in the way comes first. */
export function StageNotice({ voice, view, tutor }: { readonly voice: Voice; readonly view: SessionView; readonly tutor: Speaker }) {
  const { say } = useSpeech();
  const { media, mic } = voice;
  if (mic.status === 'blocked' && mic.problem !== null) {
    return (
      <Notice tone="warning" title={say(`mic_${mic.problem}_title`)} action={<Again text={say('tryAgain')} onClick={voice.startTalking} />}>
        <p>{say(`mic_${mic.problem}`)}</p>
      </Notice>
    );
  }
  if (media.status === 'failed') return <MediaFailed voice={voice} />;
  const { abilities } = media;
  if (abilities !== null && !abilities.speaks) {
    return (
      <Why title={say('missingSpeakingTitle', { name: tutor.name })}>
        <p>{say('missingSpeaking')}</p>
      </Why>
    );
  }
  if (abilities !== null && !abilities.listens) {
    return (
      <Why title={say('missingListeningTitle')}>
        <p>{say(`missingListening_${tutor.locale ?? 'en'}`, { name: tutor.name })}</p>
      </Why>
    );
  }
  const reason = view.qualityReason;
  const isWorse = media.status === 'connected' && media.quality !== 'video' && abilities?.face === true;
  if (isWorse && (reason === 'renderer_late' || reason === 'renderer_failed' || reason === 'network_slow' || reason === 'speech_failed')) {
    return <p className="hint stage-hint stage-reason">{say(`reason_${reason}`)}</p>;
  }
  return null;
}

function MediaFailed({ voice }: { readonly voice: Voice }) {
  const { say } = useSpeech();
  const { error, retrying } = voice.media;
  const code = error === null ? null : codeOf(error);
  if (code === 'conflict') {
    return (
      <Notice title={say('voiceElsewhereTitle')} action={<Again text={say('useHere')} onClick={voice.connectAgain} />}>
        <p>{say('voiceElsewhere')}</p>
      </Notice>
    );
  }
  if (code === 'session_ended') return null;
  if (code === 'media_unavailable') return <p className="hint stage-hint">{sayCode(code, say)}</p>;
  return (
    <Notice
      tone="warning"
      title={say('voiceFailedTitle')}
      action={retrying ? null : <Again text={say('tryAgain')} onClick={voice.connectAgain} />}
    >
      <p>
        {code === null ? null : `${sayCode(code, say)} `}
        {retrying ? say('voiceFailedRetrying') : null}
      </p>
    </Notice>
  );
}

/** Known at a glance, told on request: it stays true for the whole lesson. */
function Why({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <details className="stage-why">
      <summary>{title}</summary>
      {children}
    </details>
  );
}

function Again({ text, onClick }: { readonly text: string; readonly onClick: () => void }) {
  return (
    <button type="button" className="button" onClick={onClick}>
      {text}
    </button>
  );
}
