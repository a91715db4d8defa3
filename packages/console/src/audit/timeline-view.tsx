import type { AuditedEvent } from '@virtual-tutor/sdk';
import { memo, useEffect, useMemo, useRef, useState } from 'react';
import { stringOr } from '../engine/plain-data.ts';
import type { Say } from '../texts/texts.ts';
import { useSpeech } from '../texts/use-language.tsx';
import { nameOfEvent } from './event-name.ts';
import { noteOf } from './event-note.ts';
import { type EventGroup, groupByTurn, sinceStart } from './timeline.ts';

/** Height of a turn's heading, which stays on top of its events, px. */
const stickyPx = 40;

/** Every event of the lesson; the chosen one is the moment that is looked at. */
export function Timeline({
  events,
  revision,
  onMove,
}: {
  readonly events: readonly AuditedEvent[];
  readonly revision: number;
  readonly onMove: (revision: number) => void;
}) {
  const { say } = useSpeech();
  const [wanted, setWanted] = useState('');
  const list = useRef<HTMLElement>(null);
  const groups = useMemo(() => groupByTurn(events), [events]);
  const found = useMemo(() => matching(groups, wanted, say), [groups, wanted, say]);
  const startMs = Date.parse(events[0]?.occurredAt ?? '');
  useEffect(() => {
    const chosen = list.current?.querySelector<HTMLElement>(`[data-revision="${revision}"]`);
    if (list.current !== null && chosen != null) scrollWithin(list.current, chosen);
  }, [revision]);
  return (
    <div className="timeline-frame">
      <input
        className="find"
        type="search"
        value={wanted}
        aria-label={say('findEvents')}
        placeholder={say('findEvents')}
        onChange={(event) => setWanted(event.target.value)}
      />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller must be reachable by keyboard */}
      <section className="timeline" ref={list} aria-label={say('timeline')} tabIndex={0}>
        {found.length === 0 ? <p className="empty">{say('foundNothing')}</p> : null}
        {found.map((group) => (
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
    </div>
  );
}

/** Unlike `scrollIntoView`, moves this list and never the page. */
function scrollWithin(list: HTMLElement, item: HTMLElement): void {
  const frame = list.getBoundingClientRect();
  const { top, bottom } = item.getBoundingClientRect();
  if (top < frame.top + stickyPx) list.scrollTop -= frame.top + stickyPx - top;
  else if (bottom > frame.bottom) list.scrollTop += bottom - frame.bottom;
}

/** Groups with the events whose name, type or words contain what is looked for. */
function matching(groups: readonly EventGroup[], wanted: string, say: Say): readonly EventGroup[] {
  const needle = wanted.trim().toLocaleLowerCase();
  if (needle === '') return groups;
  const fits = (event: AuditedEvent) =>
    [nameOfEvent(event.type, say), event.type, event.actor.kind, wordsOf(event) ?? ''].some((text) =>
      text.toLocaleLowerCase().includes(needle),
    );
  return groups.map((group) => ({ ...group, events: group.events.filter(fits) })).filter(({ events }) => events.length > 0);
}

/** What was said in an event; null: nothing, or forgotten. */
function wordsOf({ personal }: AuditedEvent): string | null {
  return stringOr(personal?.['text'], null) ?? stringOr(personal?.['heardText'], null);
}

const EventRow = memo(function EventRow({
  event,
  startMs,
  moment,
  onMove,
}: {
  readonly event: AuditedEvent;
  readonly startMs: number;
  readonly moment: 'past' | 'now' | 'future';
  readonly onMove: (revision: number) => void;
}) {
  const { say } = useSpeech();
  const words = wordsOf(event);
  const note = noteOf(event, say);
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
        <span className="event-name">{nameOfEvent(event.type, say)}</span>
        <span className="event-facts">
          <span>{say(`actor_${event.actor.kind}`)}</span>
          <span className="event-time">{sinceStart(Date.parse(event.occurredAt) - startMs)}</span>
        </span>
        {words === null ? null : <span className="event-text">{words.trim()}</span>}
        {note === null ? null : <span className="event-note">{note}</span>}
        {event.personal === null ? <span className="event-text">{say('personalForgotten')}</span> : null}
      </button>
    </li>
  );
});
