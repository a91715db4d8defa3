import type { ReactNode } from 'react';
import { sayFailure } from '../engine/failure.ts';
import { useSpeech } from '../texts/use-language.tsx';
import { Warning } from './icons.tsx';

type Tone = 'quiet' | 'good' | 'warning' | 'bad';

export function Notice({
  tone = 'quiet',
  title,
  children,
  action,
}: {
  readonly tone?: Tone;
  readonly title?: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}) {
  return (
    <div className={`notice notice-${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      {tone === 'bad' || tone === 'warning' ? <Warning /> : null}
      <div className="notice-words">
        {title === undefined ? null : <p className="notice-title">{title}</p>}
        {children}
      </div>
      {action}
    </div>
  );
}

/** A failed load, in words, with a way forward. */
export function FailureNotice({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const { say } = useSpeech();
  const retry =
    onRetry === undefined ? null : (
      <button type="button" className="button" onClick={onRetry}>
        {say('tryAgain')}
      </button>
    );
  return (
    <Notice tone="bad" action={retry}>
      <p>{sayFailure(error, say)}</p>
    </Notice>
  );
}

/** A whole view with one thing to say. */
export function Blank({ title, children, action }: { readonly title: string; readonly children?: ReactNode; readonly action?: ReactNode }) {
  return (
    <div className="blank">
      <p className="blank-title">{title}</p>
      <div className="blank-words">{children}</div>
      {action}
    </div>
  );
}

export function Loading() {
  const { say } = useSpeech();
  return (
    <p className="loading" role="status">
      <span className="spinner" aria-hidden="true" />
      {say('loading')}
    </p>
  );
}
