import type { AuditedEvent, TutorClient } from '@virtual-tutor/sdk';
import { type ReactNode, useCallback, useMemo, useState } from 'react';
import { stringOr } from '../engine/plain-data.ts';
import { useLoaded } from '../engine/use-loaded.ts';
import { FailureNotice, Loading } from '../parts/notice.tsx';
import { useSpeech } from '../texts/use-language.tsx';
import { Citation } from './citation.tsx';
import { noteOf } from './event-note.ts';
import { type Latency, type Reason, reasons } from './why.ts';

interface ReasonsProps {
  readonly client: TutorClient;
  readonly events: readonly AuditedEvent[];
  readonly revision: number;
}

/** Each sentence of the tutor, newest last; one of them opened. */
export function Reasons({ client, events, revision }: ReasonsProps) {
  const { say } = useSpeech();
  const sentences = useMemo(() => reasons(events, revision), [events, revision]);
  const [opened, setOpened] = useState<number | null>(null);
  const tutorId = stringOr(events[0]?.payload['tutorId'], '');
  if (sentences.length === 0) return <p className="empty">{say('whyNone')}</p>;
  return (
    <>
      <p className="hint">{say('whyLead')}</p>
      <ol className="reasons">
        {sentences.map((reason) => (
          <li key={reason.revision}>
            <button
              type="button"
              className="reason"
              aria-expanded={opened === reason.revision}
              onClick={() => setOpened((current) => (current === reason.revision ? null : reason.revision))}
            >
              {reason.text?.trim() ?? <em>{say('personalForgotten')}</em>}
            </button>
            {opened === reason.revision ? <Why client={client} tutorId={tutorId} reason={reason} /> : null}
          </li>
        ))}
      </ol>
    </>
  );
}

function Why({ client, tutorId, reason }: { readonly client: TutorClient; readonly tutorId: string; readonly reason: Reason }) {
  const { say, number } = useSpeech();
  const { citations, reply, heard, latency } = reason;
  return (
    <div className="why">
      <h3>{say('whyCites')}</h3>
      {citations.length === 0 ? <p>{say('whyCitesNothing')}</p> : null}
      <ul className="proofs">
        {citations.map((citation) => (
          <Citation key={citation.passageId} citation={citation} />
        ))}
      </ul>
      <dl className="facts">
        {reply === null ? null : (
          <>
            <Fact name={say('whyModel')}>{`${reply.provider} · ${reply.model}`}</Fact>
            {reply.insteadOf === null ? null : <Fact name={say('whyFallback')}>{reply.insteadOf}</Fact>}
            <Fact name={say('whyTemperature')}>{reply.temperature === null ? '–' : number(reply.temperature)}</Fact>
            <Fact name={say('whyPrompt')}>
              <code className="hash">{reply.promptHash}</code>
            </Fact>
          </>
        )}
        <Fact name={say('whyHeard')}>{heard === null ? say('whyUnheard') : (noteOf(heard, say) ?? heard.occurredAt)}</Fact>
        {latency === null ? null : <Stages latency={latency} />}
      </dl>
      {reply?.tutorRevision == null ? null : <Configured client={client} tutorId={tutorId} revision={reply.tutorRevision} />}
    </div>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Stages({ latency: { asrMs, retrieveMs, firstTokenMs, firstAudioMs, firstFrameMs, totalMs } }: { readonly latency: Latency }) {
  const { say, number } = useSpeech();
  const ms = (value: number | null) => (value === null ? '–' : `${number(Math.round(value))} ms`);
  const text = say('whyLatencyOf', {
    asr: ms(asrMs),
    retrieve: ms(retrieveMs),
    token: ms(firstTokenMs),
    audio: ms(firstAudioMs),
    frame: ms(firstFrameMs),
    total: ms(totalMs),
  });
  return <Fact name={say('whyLatency')}>{text}</Fact>;
}

/** The settings that answered, and who made them. */
function Configured({ client, tutorId, revision }: { readonly client: TutorClient; readonly tutorId: string; readonly revision: number }) {
  const { say, dateTime } = useSpeech();
  const { loaded, reload } = useLoaded(
    useCallback((signal: AbortSignal) => client.audit.tutor(tutorId, { revision }, { signal }), [client, tutorId, revision]),
  );
  if (loaded.status === 'loading') return <Loading />;
  if (loaded.status === 'failed') return <FailureNotice error={loaded.error} onRetry={reload} />;
  const { settings, configuredBy, configuredAt } = loaded.value;
  return (
    <dl className="facts">
      <Fact name={say('whyTutor')}>{say('whyTutorOf', { name: settings.name, revision })}</Fact>
      <Fact name={say('whyConfigured')}>{`${say(`actor_${configuredBy.kind}`)} · ${configuredBy.id} · ${dateTime(configuredAt)}`}</Fact>
      <Fact name={say('whyInstructions')}>{settings.systemPrompt}</Fact>
    </dl>
  );
}
