import { type ReactNode, useEffect, useId, useRef } from 'react';
import { useSpeech } from '../texts/use-language.tsx';
import { Cross } from './icons.tsx';

/** The platform's own modal: it traps focus, closes on Esc and gives focus back. */
export function Dialog({
  title,
  onClose,
  children,
  sheet = false,
}: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Beside the conversation instead of in front of it. */
  readonly sheet?: boolean;
}) {
  const { say } = useSpeech();
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    // Only opened here: closing goes through close(), which gives focus back and then unmounts.
    dialog.current?.showModal();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc closes a modal dialog by itself
    <dialog
      ref={dialog}
      className={sheet ? 'dialog sheet' : 'dialog'}
      aria-labelledby={titleId}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div className="dialog-body">
        <header className="dialog-head">
          <h2 id={titleId}>{title}</h2>
          <button type="button" className="button button-icon" aria-label={say('close')} onClick={() => dialog.current?.close()}>
            <Cross />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

export function closeDialogOf(control: Element): void {
  control.closest('dialog')?.close();
}

export function Confirmation({
  title,
  body,
  action,
  keep,
  onConfirm,
  onClose,
  children,
}: {
  readonly title: string;
  readonly body: string;
  readonly action: string;
  readonly keep?: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
  /** What has to be chosen first. */
  readonly children?: ReactNode;
}) {
  const { say } = useSpeech();
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{body}</p>
      {children}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={({ currentTarget }) => closeDialogOf(currentTarget)}>
          {keep ?? say('cancel')}
        </button>
        <button
          type="button"
          className="button button-danger"
          onClick={({ currentTarget }) => {
            closeDialogOf(currentTarget);
            onConfirm();
          }}
        >
          {action}
        </button>
      </div>
    </Dialog>
  );
}
