import type { Avatar, Tutor, TutorClient } from '@virtual-tutor/sdk';
import { type SyntheticEvent, useCallback, useState } from 'react';
import { firstOf } from '../../engine/pages.ts';
import { useAction } from '../../engine/use-action.ts';
import { useLoaded } from '../../engine/use-loaded.ts';
import { Field } from '../../parts/field.tsx';
import { FailureNotice, Notice } from '../../parts/notice.tsx';
import { hrefOf } from '../../router.ts';
import { useSpeech } from '../../texts/use-language.tsx';
import { usePicture } from './use-picture.ts';

/** What students will see, before they do; and whom it is for. */
export function Preview({
  client,
  avatar,
  onChange,
}: {
  readonly client: TutorClient;
  readonly avatar: Avatar;
  readonly onChange: (avatar: Avatar) => void;
}) {
  const { say } = useSpeech();
  const loop = usePicture(client, avatar.id, 'idle.webm');
  const { loaded, reload } = useLoaded(useCallback((signal: AbortSignal) => firstOf(client.tutors.list({ signal })), [client]));
  const tutors = loaded.status === 'loaded' ? loaded.value.filter(({ status }) => status === 'active') : [];
  const worn = tutors.filter(({ settings }) => settings.avatarId === avatar.id);
  return (
    <section className="card face-preview">
      <figure>
        {loop === null ? (
          <div className="face-loop" />
        ) : (
          <video className="face-loop" src={loop} autoPlay loop muted controls playsInline aria-label={say('facePreview')} />
        )}
        <figcaption className="hint">{say('facePreviewNote')}</figcaption>
      </figure>
      <div className="form">
        {worn.length === 0 ? null : <p>{say('wornBy', { tutors: worn.map(({ settings }) => settings.name).join(', ') })}</p>}
        {loaded.status === 'failed' ? <FailureNotice error={loaded.error} onRetry={reload} /> : null}
        <Publish client={client} avatar={avatar} tutors={tutors} onPublished={reload} onChange={onChange} />
      </div>
    </section>
  );
}

function Publish({
  client,
  avatar,
  tutors,
  onPublished,
  onChange,
}: {
  readonly client: TutorClient;
  readonly avatar: Avatar;
  readonly tutors: readonly Tutor[];
  readonly onPublished: () => void;
  readonly onChange: (avatar: Avatar) => void;
}) {
  const { say } = useSpeech();
  const [tutorId, setTutorId] = useState('');
  const [published, setPublished] = useState<string | null>(null);
  const publish = useAction(
    useCallback(async () => {
      const { settings } = await client.tutors.get(tutorId);
      await client.tutors.configure(tutorId, { ...settings, avatarId: avatar.id });
      setPublished(settings.name);
      onPublished();
      onChange(await client.avatars.get(avatar.id));
    }, [client, tutorId, avatar.id, onPublished, onChange]),
  );
  const onSubmit = (event: SyntheticEvent) => {
    event.preventDefault();
    publish.run();
  };
  return (
    <form className="form" onSubmit={onSubmit}>
      <Field label={say('giveToTutor')}>
        {(wiring) => (
          <select {...wiring} required value={tutorId} onChange={({ target }) => setTutorId(target.value)}>
            <option value="" />
            {tutors.map(({ id, settings }) => (
              <option key={id} value={id}>
                {settings.name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {publish.error === null ? null : <FailureNotice error={publish.error} />}
      {published === null ? null : (
        <Notice
          tone="good"
          action={
            <a className="button" href={hrefOf({ view: 'home' })}>
              {say('tryIt')}
            </a>
          }
        >
          <p>{say('publishedFace', { tutor: published })}</p>
        </Notice>
      )}
      <div className="form-actions">
        <button type="submit" className="button button-primary" disabled={tutorId === '' || publish.busy}>
          {say('publishFace')}
        </button>
      </div>
    </form>
  );
}
