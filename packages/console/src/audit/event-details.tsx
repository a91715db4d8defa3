import type { AuditedEvent } from '@virtual-tutor/sdk';
import { useSpeech } from '../texts/use-language.tsx';
import { nameOfEvent } from './event-name.ts';

/** One event, whole. */
export function EventDetails({ event }: { readonly event: AuditedEvent }) {
  const { say, number } = useSpeech();
  const { type, schemaVersion, actor, personal } = event;
  const facts = [
    [say('factType'), `${type} v${schemaVersion}`],
    [say('factActor'), `${say(`actor_${actor.kind}`)} · ${actor.id}`],
    [say('factTime'), event.occurredAt],
    [say('factRecorded'), event.recordedAt],
    [say('factPosition'), number(event.position)],
    [say('factId'), event.id],
    [say('factCausation'), event.causationId],
    [say('factCorrelation'), event.correlationId],
    [say('factContentHash'), event.contentHash],
    [say('factHash'), event.hash],
  ] as const;
  return (
    <>
      <h2>{nameOfEvent(type, say)}</h2>
      <h3>{say('payload')}</h3>
      <pre>{JSON.stringify(event.payload, null, 2)}</pre>
      <h3>{say('personal')}</h3>
      {personal == null ? (
        <p className="hint">{say(personal === null ? 'personalForgotten' : 'personalNone')}</p>
      ) : (
        <pre>{JSON.stringify(personal, null, 2)}</pre>
      )}
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
