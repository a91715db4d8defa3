import { type KeyboardEvent, type SyntheticEvent, useEffect, useId, useRef, useState } from 'react';
import { keep, kept } from '../engine/tab-storage.ts';
import { ArrowUp, StopSquare } from '../parts/icons.tsx';
import { useSpeech } from '../texts/use-language.tsx';

/** The engine's longest message, characters. */
const maxLength = 4_000;
const maxRows = 7;
/** `keyCode` of every key that an input method swallows (UI Events section 7.3.1); Safari sends it after composition has ended. */
const imeKeyCode = 229;

export function Composer({
  sessionId,
  tutorName,
  replying,
  onSend,
  onStop,
}: {
  readonly sessionId: string;
  readonly tutorName: string;
  readonly replying: boolean;
  readonly onSend: (text: string) => void;
  readonly onStop: () => void;
}) {
  const { say, language } = useSpeech();
  const draftKey = `vt-draft:${sessionId}`;
  const [draft, setDraft] = useState(() => kept(draftKey) ?? '');
  const input = useRef<HTMLTextAreaElement>(null);
  const hintId = useId();
  const over = draft.length - maxLength;
  const ready = draft.trim() !== '' && over <= 0;

  useEffect(() => keep(draftKey, draft === '' ? null : draft), [draftKey, draft]);
  useEffect(() => input.current?.focus({ preventScroll: true }), []);

  const send = () => {
    if (!ready) return;
    onSend(draft.trim());
    setDraft('');
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const composing = event.nativeEvent.isComposing || event.keyCode === imeKeyCode;
    if (event.key !== 'Enter' || event.shiftKey || composing) return;
    event.preventDefault();
    send();
  };
  const onSubmit = (event: SyntheticEvent) => {
    event.preventDefault();
    send();
  };
  return (
    <form className="composer" onSubmit={onSubmit}>
      <div className="composer-box">
        <textarea
          ref={input}
          value={draft}
          rows={Math.min(maxRows, draft.split('\n').length)}
          placeholder={say('questionPlaceholder')}
          aria-label={say('questionLabel', { name: tutorName })}
          aria-describedby={hintId}
          aria-invalid={over > 0}
          enterKeyHint="send"
          lang={language}
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {replying ? (
          <button
            type="button"
            className="button button-round button-stop"
            aria-label={say('stopTutor')}
            title={say('stopTutor')}
            onClick={onStop}
          >
            <StopSquare />
          </button>
        ) : null}
        <button
          type="submit"
          className="button button-round button-primary"
          aria-label={say('send')}
          title={say('send')}
          aria-disabled={!ready}
        >
          <ArrowUp />
        </button>
      </div>
      <p id={hintId} className={over > 0 ? 'hint hint-bad' : 'hint composer-hint'} role={over > 0 ? 'alert' : undefined}>
        {over > 0 ? say('questionTooLong', { over }) : say('questionHint')}
      </p>
    </form>
  );
}
