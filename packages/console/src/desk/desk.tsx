import type { TutorClient } from '@virtual-tutor/sdk';
import { Page } from '../parts/page.tsx';
import { StaffOnly } from '../parts/staff-only.tsx';
import { type DeskTab, hrefOf } from '../router.ts';
import type { TextKey } from '../texts/texts.ts';
import { useSpeech } from '../texts/use-language.tsx';
import { Collection } from './collection.tsx';
import { FaceView } from './faces/face-view.tsx';
import { Faces } from './faces/faces.tsx';
import { NewFace } from './faces/new-face.tsx';
import { Knowledge } from './knowledge.tsx';
import { Links } from './links.tsx';
import { newId } from './new-id.ts';
import { TutorEditor } from './tutor-editor.tsx';
import { Tutors } from './tutors.tsx';

const tabs = [
  { tab: 'tutors', text: 'deskTutors', lead: 'tutorsLead' },
  { tab: 'faces', text: 'deskFaces', lead: 'facesLead' },
  { tab: 'knowledge', text: 'deskKnowledge', lead: 'knowledgeLead' },
  { tab: 'links', text: 'deskLinks', lead: 'linksLead' },
] as const satisfies readonly { readonly tab: DeskTab; readonly text: TextKey; readonly lead: TextKey }[];

export function Desk({ tab, id }: { readonly tab: DeskTab; readonly id: string | null }) {
  const { say } = useSpeech();
  const lead = tabs.find((candidate) => candidate.tab === tab)?.lead ?? 'tutorsLead';
  return (
    <Page title={say('deskTitle')} lead={say(lead)}>
      <StaffOnly roles={['operator', 'teacher']}>
        {(client, roles) => (
          <>
            <nav className="tabs" aria-label={say('deskNavigation')}>
              {tabs.map(({ tab: target, text }) => (
                <a key={target} href={hrefOf({ view: 'desk', tab: target, id: null })} aria-current={target === tab ? 'page' : undefined}>
                  {say(text)}
                </a>
              ))}
            </nav>
            <DeskView tab={tab} id={id} client={client} mayCreate={roles.includes('operator')} />
          </>
        )}
      </StaffOnly>
    </Page>
  );
}

function DeskView({
  tab,
  id,
  client,
  mayCreate,
}: {
  readonly tab: DeskTab;
  readonly id: string | null;
  readonly client: TutorClient;
  readonly mayCreate: boolean;
}) {
  switch (tab) {
    case 'tutors':
      return id === null ? <Tutors client={client} /> : <TutorEditor client={client} tutorId={id === newId ? null : id} />;
    case 'faces':
      if (id === newId) return <NewFace client={client} />;
      return id === null ? <Faces client={client} /> : <FaceView key={id} client={client} avatarId={id} />;
    case 'knowledge':
      return id === null ? <Knowledge client={client} /> : <Collection client={client} knowledgeBaseId={id} />;
    case 'links':
      return <Links client={client} mayCreate={mayCreate} />;
  }
}
