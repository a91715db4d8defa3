import { type ReactNode, useId } from 'react';

interface Wiring {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': boolean;
}

/** A labelled control with its hint and its complaint, tied together for screen readers. */
export function Field({
  label,
  hint,
  problem,
  children,
}: {
  readonly label: string;
  readonly hint?: string;
  readonly problem?: string | null;
  readonly children: (wiring: Wiring) => ReactNode;
}) {
  const id = useId();
  const hintId = `${id}-hint`;
  const said = problem ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': said === undefined ? undefined : hintId, 'aria-invalid': problem != null })}
      {said === undefined ? null : (
        <p id={hintId} className={problem == null ? 'hint' : 'hint hint-bad'}>
          {said}
        </p>
      )}
    </div>
  );
}
