import type { Avatar, KnowledgeBase, Tutor, TutorClient } from '@virtual-tutor/sdk';
import { type SyntheticEvent, useCallback, useState } from 'react';
import { firstOf } from '../engine/pages.ts';
import { useAction } from '../engine/use-action.ts';
import { useLoaded } from '../engine/use-loaded.ts';
import { Confirmation } from '../parts/dialog.tsx';
import { FailureNotice, Loading, Notice } from '../parts/notice.tsx';
import { hrefOf } from '../router.ts';
import { useSpeech } from '../texts/use-language.tsx';
import { go } from '../use-route.ts';
import { draftOf, emptyDraft, settingsOf, type TutorDraft } from './tutor-draft.ts';
import { TutorFields } from './tutor-fields.tsx';

export function TutorEditor({
  client,
  tutorId,
}: {
  readonly client: TutorClient;
  /** Null: a new one. */
  readonly tutorId: string | null;
}) {
  const load = useCallback(
    async (signal: AbortSignal) => ({
      tutor: tutorId === null ? null : await client.tutors.get(tutorId, { signal }),
      bases: await firstOf(client.knowledge.list({ signal })),
      faces: (await firstOf(client.avatars.list({ signal }))).filter(({ status }) => status === 'ready'),
    }),
    [client, tutorId],
  );
  const { loaded, reload } = useLoaded(load);
  if (loaded.status === 'loading') return <Loading />;
  if (loaded.status === 'failed') return <FailureNotice error={loaded.error} onRetry={reload} />;
  return <TutorForm client={client} {...loaded.value} />;
}

function TutorForm({
  client,
  tutor,
  bases,
  faces,
}: {
  readonly client: TutorClient;
  readonly tutor: Tutor | null;
  readonly bases: readonly KnowledgeBase[];
  readonly faces: readonly Avatar[];
}) {
  const { say, language } = useSpeech();
  const [draft, setDraft] = useState<TutorDraft>(() => (tutor === null ? emptyDraft(language) : draftOf(tutor)));
  const [asksToRetire, setAsksToRetire] = useState(false);
  const [isSaved, setIsSaved] = useState(false);
  const settings = settingsOf(draft);
  const save = useAction(
    useCallback(async () => {
      if (settings === null) return;
      await client.tutors.configure(draft.id, settings);
      setIsSaved(true);
      if (tutor === null) go({ view: 'desk', tab: 'tutors', id: null });
    }, [client, draft.id, settings, tutor]),
  );
  const retire = useAction(
    useCallback(async () => {
      await client.tutors.retire(draft.id);
      go({ view: 'desk', tab: 'tutors', id: null });
    }, [client, draft.id]),
  );
  const onSubmit = (event: SyntheticEvent) => {
    event.preventDefault();
    save.run();
  };
  const change = (changes: Partial<TutorDraft>) => {
    setIsSaved(false);
    setDraft((current) => ({ ...current, ...changes }));
  };
  const error = save.error ?? retire.error;
  return (
    <form className="form" onSubmit={onSubmit}>
      <h2>{tutor === null ? say('newTutor') : say('editTutor', { name: tutor.settings.name })}</h2>
      <TutorFields draft={draft} isNew={tutor === null} bases={bases} faces={faces} onChange={change} />
      {error === null ? null : <FailureNotice error={error} />}
      {isSaved ? (
        <Notice tone="good">
          <p>{say('saved')}</p>
        </Notice>
      ) : null}
      <div className="form-actions">
        <button type="submit" className="button button-primary" disabled={settings === null || save.busy}>
          {say(save.busy ? 'saving' : 'save')}
        </button>
        <a className="button" href={hrefOf({ view: 'desk', tab: 'tutors', id: null })}>
          {say('back')}
        </a>
        {tutor?.status === 'active' ? (
          <button type="button" className="button button-quiet button-danger-quiet" onClick={() => setAsksToRetire(true)}>
            {say('retire')}
          </button>
        ) : null}
      </div>
      {asksToRetire ? (
        <Confirmation
          title={say('retireAsk', { name: draft.name })}
          body={say('retireBody')}
          action={say('retire')}
          onConfirm={retire.run}
          onClose={() => setAsksToRetire(false)}
        />
      ) : null}
    </form>
  );
}
