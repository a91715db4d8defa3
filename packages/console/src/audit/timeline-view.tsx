import type { AuditedEvent } from '@virtual-tutor/sdk';
import { memo, useEffect, useMemo, useRef } from 'react';
import { stringOr } from '../engine/plain-data.ts';
import { useSpeech } from '../texts/use-language.tsx';
import { nameOfEvent } from './event-name.ts';
import { groupByTurn, sinceStart } from './timeline.ts';

/** Every event of the lesson; the chosen one is the moment that is looked at. */
export function Timeline({ events, revision, onMove }: {
  readonly events: readonly AuditedEvent[];
  readonly revision: number;
  readonly onMove: (revision: number) => void;
}) {
  const { say } = useSpeech();
  const groups = useMemo(() => groupByTurn(events), [events]);
  const startMs = Date.parse(events[0]?.occurredAt ?? '');
  const list = useRef<HTMLElement>(null);
  useEffect(() => {
    const chosen = list.current?.querySelector(`[data-revision="${revision}"]`);
    chosen?.scrollIntoView({ block: 'nearest' });
  }, [revision]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller must be reachable by keyboard
    <section className="timeline" ref={list} aria-label={say('timeline')} tabIndex={0}>
      {groups.map((group) => (
        <div className="event-group" key={group.events[0]?.revision}>
          <h2>{group.number === null ? say('groupOpening') : say('groupTurn', { number: group.number })}</h2>
          <ol>
            {group.events.map((event) => (
              <EventRow
                key={event.id}
                event={event}
                startMs={startMs}
                moment={event.revision === revision ? 'now' : event.revision < revision ? 'past' : 'future'}
                onMove={onMove}
              />
            ))}
          </ol>
        </div>
      ))}
    </section>
  );
}

const EventRow = memo(function EventRow({ event, startMs, moment, onMove }: {
  readonly event: AuditedEvent;
  readonly startMs: number;
  readonly moment: 'past' | 'now' | 'future';
  readonly onMove: (revision: number) => void;
}) {
  const { say } = useSpeech();
  const words = stringOr(event.personal?.['text'], null) ?? stringOr(event.personal?.['heardText'], null);
  return (
    <li>
      <button
        type="button"
        className={`event event-${moment} event-by-${event.actor.kind}`}
        aria-current={moment === 'now' ? 'step' : undefined}
        data-revision={event.revision}
        onClick={() => onMove(event.revision)}
      >
        <span className="event-revision">{event.revision}</span>
        <span className="event-words">
          <span className="event-name">{nameOfEvent(event.type, say)}</span>
          {words === null ? null : <span className="event-text">{words.trim()}</span>}
          {event.personal === null ? <span className="event-text forgotten">{say('personalForgotten')}</span> : null}
        </span>
        <span className="event-facts">
          <span className="event-time">{sinceStart(Date.parse(event.occurredAt) - startMs)}</span>
          <span className="event-actor">{say(`actor_${event.actor.kind}`)}</span>
        </span>
      </button>
    </li>
  );
});
