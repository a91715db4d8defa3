import type { AuditedEvent } from '@virtual-tutor/sdk';
import type { ReactNode } from 'react';
import { First, Last, Next, Previous } from '../parts/icons.tsx';
import { useSpeech } from '../texts/use-language.tsx';
import { nameOfEvent } from './event-name.ts';

/** Moves through the lesson event by event. */
export function Scrubber({
  events,
  revision,
  head,
  onMove,
}: {
  readonly events: readonly AuditedEvent[];
  readonly revision: number;
  readonly head: number;
  readonly onMove: (revision: number) => void;
}) {
  const { say } = useSpeech();
  const event = events.find((candidate) => candidate.revision === revision);
  const position = say('revisionOf', { revision, head });
  const name = event === undefined ? '' : nameOfEvent(event.type, say);
  return (
    <section className="scrubber" aria-label={say('scrubber')}>
      <div className="scrubber-buttons">
        <Step label={say('firstRevision')} off={revision <= 1} onStep={() => onMove(1)}>
          <First />
        </Step>
        <Step label={say('previousRevision')} off={revision <= 1} onStep={() => onMove(revision - 1)}>
          <Previous />
        </Step>
        <Step label={say('nextRevision')} off={revision >= head} onStep={() => onMove(revision + 1)}>
          <Next />
        </Step>
        <Step label={say('lastRevision')} off={revision >= head} onStep={() => onMove(head)}>
          <Last />
        </Step>
      </div>
      <input
        type="range"
        min={1}
        max={head}
        value={revision}
        aria-label={say('scrubber')}
        aria-valuetext={`${position}: ${name}`}
        onChange={({ target }) => onMove(target.valueAsNumber)}
      />
      <p className="scrubber-position">
        <strong>{position}</strong>
        <span>{name}</span>
      </p>
    </section>
  );
}

/** Stays focusable at either end: a disabled button would drop the focus of whoever steps with the keyboard. */
function Step({
  label,
  off,
  onStep,
  children,
}: {
  readonly label: string;
  readonly off: boolean;
  readonly onStep: () => void;
  readonly children: ReactNode;
}) {
  return (
    <button
      type="button"
      className="button button-icon"
      aria-label={label}
      title={label}
      aria-disabled={off}
      onClick={() => off || onStep()}
    >
      {children}
    </button>
  );
}
