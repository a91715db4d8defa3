import type { Role, TutorClient } from '@virtual-tutor/sdk';
import { useCallback } from 'react';
import { firstOf } from '../engine/pages.ts';
import { useLoaded } from '../engine/use-loaded.ts';
import { Page } from '../parts/page.tsx';
import { StaffOnly } from '../parts/staff-only.tsx';
import { useSpeech } from '../texts/use-language.tsx';
import { EngineHealth } from './engine-health.tsx';
import { OpenLessons } from './open-lessons.tsx';
import { TutorChoice } from './tutor-choice.tsx';

export function Home() {
  const { say } = useSpeech();
  return (
    <Page title={say('homeTitle')} heading={say('homeHeadline')} lead={say('homeLead')}>
      <StaffOnly>{(client, roles) => <Lessons client={client} roles={roles} />}</StaffOnly>
      <EngineHealth />
    </Page>
  );
}

function Lessons({ client, roles }: { readonly client: TutorClient; readonly roles: readonly Role[] }) {
  const mayStart = roles.includes('operator');
  const tutors = useLoaded(useCallback((signal: AbortSignal) => firstOf(client.tutors.list({ signal })), [client]));
  return (
    <>
      <TutorChoice client={client} tutors={tutors.loaded} onRetry={tutors.reload} mayStart={mayStart} />
      {mayStart ? <OpenLessons client={client} tutors={tutors.loaded.status === 'loaded' ? tutors.loaded.value : []} /> : null}
    </>
  );
}
