import type { AuditedEvent, SessionId } from '@virtual-tutor/schemas';
import type { EngineClient } from './engine-client.ts';

export interface ReplayRequest {
  readonly sessionId: SessionId;
  /** Omitted: the whole session, and its state now. */
  readonly at: number | undefined;
  readonly json: boolean;
}

const pageSize = 500;

/** A session's timeline and the state it folds to; nothing is run again, no model is called. */
export async function replay(client: EngineClient, { sessionId, at, json }: ReplayRequest): Promise<string> {
  const events = (await readEvents(client, sessionId)).filter(({ revision }) => at === undefined || revision <= at);
  const { state, revision } = await client.audit.state.query({ sessionId, ...(at === undefined ? {} : { revision: at }) });
  const verdict = await client.audit.verify.query({ sessionId });
  if (json) return JSON.stringify({ sessionId, revision, events, state, verdict });
  const started = Date.parse(events[0]?.occurredAt ?? '');
  return [
    ...events.map((event) => lineOf(event, started)),
    '',
    `state at revision ${revision}:`,
    JSON.stringify(state, null, 2),
    '',
    verdict.verdict === 'intact'
      ? `chain intact, ${verdict.events} events`
      : `chain BROKEN at revision ${verdict.revision}: ${verdict.reason}`,
  ].join('\n');
}

export async function readEvents(client: EngineClient, sessionId: SessionId): Promise<AuditedEvent[]> {
  const events: AuditedEvent[] = [];
  for (;;) {
    const page = await client.audit.events.query({ sessionId, after: events.length, limit: pageSize });
    events.push(...page.items);
    if (page.items.length < pageSize) return events;
  }
}

function lineOf({ revision, occurredAt, type, actor, personal }: AuditedEvent, startedMs: number): string {
  const seconds = ((Date.parse(occurredAt) - startedMs) / 1000).toFixed(3);
  const words =
    personal === null
      ? '(forgotten)'
      : Object.values(personal ?? {})
          .join(' ')
          .trim();
  return `${String(revision).padStart(5)} ${seconds.padStart(10)} s  ${type.padEnd(20)} ${actor.kind.padEnd(8)} ${words}`.trimEnd();
}
