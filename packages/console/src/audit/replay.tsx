import type { AuditedEvent, Session, TutorClient } from '@virtual-tutor/sdk';
import { useCallback } from 'react';
import { firstOf } from '../engine/pages.ts';
import { useLoaded } from '../engine/use-loaded.ts';
import { Blank, FailureNotice, Loading } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';
import { StaffOnly } from '../parts/staff-only.tsx';
import { hrefOf } from '../router.ts';
import { useSpeech } from '../texts/use-language.tsx';
import { go } from '../use-route.ts';
import { EvidenceButtons } from './evidence.tsx';
import { Inspector } from './inspector.tsx';
import { Player } from './player.tsx';
import { Scrubber } from './scrubber.tsx';
import { Timeline } from './timeline-view.tsx';
import { Verdict } from './verdict.tsx';

/** Longer than any lesson: a bound for the tab's memory. */
const maxEvents = 20_000;

interface ReplayProps {
  readonly sessionId: string;
  /** Null: the newest. */
  readonly revision: number | null;
}

/** One lesson from its events, at any revision. */
export function Replay(props: ReplayProps) {
  return <StaffOnly roles={['auditor']}>{(client) => <LoadedReplay client={client} {...props} />}</StaffOnly>;
}

function LoadedReplay({ client, sessionId, revision }: ReplayProps & { readonly client: TutorClient }) {
  const { say } = useSpeech();
  const load = useCallback(
    async (signal: AbortSignal) => ({
      session: await client.sessions.get(sessionId, { signal }),
      events: await firstOf(client.audit.events(sessionId, { signal }), maxEvents),
    }),
    [client, sessionId],
  );
  const { loaded, reload } = useLoaded(load);
  if (loaded.status !== 'loaded') {
    return (
      <Page title={say('auditTitle')} wide>
        {loaded.status === 'loading' ? <Loading /> : <FailureNotice error={loaded.error} onRetry={reload} />}
      </Page>
    );
  }
  return <ReplayView client={client} revision={revision} {...loaded.value} />;
}

function ReplayView({
  client,
  session,
  events,
  revision,
}: {
  readonly client: TutorClient;
  readonly session: Session;
  readonly events: readonly AuditedEvent[];
  readonly revision: number | null;
}) {
  const { say, dateTime } = useSpeech();
  const head = events.at(-1)?.revision ?? 0;
  const current = Math.min(revision ?? head, head);
  const { id: sessionId, studentId, tutorId, createdAt } = session;
  const moveTo = useCallback((target: number) => go({ view: 'replay', sessionId, revision: target }, { replace: true }), [sessionId]);
  const title = say('replayTitle', { student: studentId });
  return (
    <Page
      title={title}
      lead={`${tutorId} · ${dateTime(createdAt)}`}
      wide
      actions={
        <>
          <EvidenceButtons client={client} sessionId={sessionId} />
          <a className="button" href={hrefOf({ view: 'audit' })}>
            {say('allSessions')}
          </a>
        </>
      }
    >
      <Verdict client={client} sessionId={sessionId} />
      {head === 0 ? (
        <Blank title={say('noSessionsTitle')} />
      ) : (
        <>
          <Player events={events} revision={current} onMove={moveTo} />
          <Scrubber events={events} revision={current} head={head} onMove={moveTo} />
          <div className="replay">
            <Timeline events={events} revision={current} onMove={moveTo} />
            <Inspector client={client} sessionId={sessionId} events={events} revision={current} />
          </div>
        </>
      )}
    </Page>
  );
}
