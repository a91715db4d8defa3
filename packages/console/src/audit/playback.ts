import type { AuditedEvent } from '@virtual-tutor/sdk';
import { stringOr } from '../engine/plain-data.ts';

export const speeds = [0.5, 1, 2, 4, 8] as const;
export type Speed = (typeof speeds)[number];

/** A longer wait between two events is a silence that may be skipped, ms. */
const longestWaitMs = 2_000;

/** Ms from the lesson's first event. */
export function atMs(events: readonly AuditedEvent[], event: AuditedEvent | undefined): number {
  return event === undefined ? 0 : Math.max(0, Date.parse(event.occurredAt) - Date.parse(events[0]?.occurredAt ?? event.occurredAt));
}

/** How long the event at `revision` stays on show before the next one comes, ms of this room's time; null: it is the last. */
export function waitMs(
  events: readonly AuditedEvent[],
  revision: number,
  { speed, skipsSilence }: { readonly speed: Speed; readonly skipsSilence: boolean },
): number | null {
  const at = events.findIndex((event) => event.revision === revision);
  const next = events[at + 1];
  if (at === -1 || next === undefined) return null;
  const lasted = Math.max(0, Date.parse(next.occurredAt) - Date.parse(events[at]?.occurredAt ?? next.occurredAt));
  return (skipsSilence ? Math.min(lasted, longestWaitMs) : lasted) / speed;
}

export interface Caption {
  readonly by: 'student' | 'tutor';
  /** Null: forgotten. */
  readonly text: string | null;
}

/** The newest words at a revision: a cut reply shows what was heard of it. */
export function captionAt(events: readonly AuditedEvent[], revision: number): Caption | null {
  const said = events.findLast((event) => event.revision <= revision && event.personal !== undefined);
  if (said === undefined) return null;
  const text = stringOr(said.personal?.['text'], null) ?? stringOr(said.personal?.['heardText'], null);
  return { by: said.type === 'MessageReceived' ? 'student' : 'tutor', text };
}
