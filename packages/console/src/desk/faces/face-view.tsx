import type { Avatar, TutorClient } from '@virtual-tutor/sdk';
import { useCallback, useEffect, useState } from 'react';
import { useAction } from '../../engine/use-action.ts';
import { Confirmation } from '../../parts/dialog.tsx';
import { FailureNotice, Loading, Notice } from '../../parts/notice.tsx';
import { hrefOf } from '../../router.ts';
import { useSpeech } from '../../texts/use-language.tsx';
import { go } from '../../use-route.ts';
import { newId } from '../new-id.ts';
import { Building } from './building.tsx';
import { Preview } from './preview.tsx';
import { Reasons } from './reasons.tsx';

/** One filmed tutor: how its making goes, what it looks like, and how to be rid of it. */
export function FaceView({ client, avatarId }: { readonly client: TutorClient; readonly avatarId: string }) {
  const [avatar, setAvatar] = useState<Avatar | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const ended = new AbortController();
    const follow = async () => {
      for await (const seen of client.avatars.watch(avatarId, { signal: ended.signal })) setAvatar(seen);
    };
    setError(null);
    follow().catch((failure: unknown) => {
      if (!ended.signal.aborted) setError(failure);
    });
    return () => ended.abort();
  }, [client, avatarId, round]);
  if (error !== null) return <FailureNotice error={error} onRetry={() => setRound((current) => current + 1)} />;
  if (avatar === null) return <Loading />;
  return <Face client={client} avatar={avatar} onChange={setAvatar} />;
}

function Face({
  client,
  avatar,
  onChange,
}: {
  readonly client: TutorClient;
  readonly avatar: Avatar;
  readonly onChange: (avatar: Avatar) => void;
}) {
  const { say } = useSpeech();
  const { name, status } = avatar;
  return (
    <>
      <div className="section-head">
        <h2>{name}</h2>
        <span className={`tag tag-face-${status}`}>{say(`face_${status}`)}</span>
        <a className="button" href={hrefOf({ view: 'desk', tab: 'faces', id: null })}>
          {say('back')}
        </a>
      </div>
      {status === 'queued' || status === 'building' ? <Building avatar={avatar} /> : null}
      {status === 'rejected' ? <Reasons client={client} avatar={avatar} /> : null}
      {status === 'failed' ? (
        <Notice
          tone="bad"
          title={say('faceFailedTitle')}
          action={
            <a className="button" href={hrefOf({ view: 'desk', tab: 'faces', id: newId })}>
              {say('newFace')}
            </a>
          }
        >
          <p>{say(`failure_${avatar.failure ?? 'crashed'}`)}</p>
        </Notice>
      ) : null}
      {status === 'ready' ? <Preview client={client} avatar={avatar} onChange={onChange} /> : null}
      {status === 'revoked' ? (
        <Notice tone="warning">
          <p>{say('faceWasRevoked')}</p>
        </Notice>
      ) : null}
      <Leave client={client} avatar={avatar} onChange={onChange} />
    </>
  );
}

const revokeReasons = ['consent_withdrawn', 'replaced', 'misuse', 'other'] as const;
type RevokeReason = (typeof revokeReasons)[number];

function Leave({
  client,
  avatar: { id, name, status },
  onChange,
}: {
  readonly client: TutorClient;
  readonly avatar: Avatar;
  readonly onChange: (avatar: Avatar) => void;
}) {
  const { say } = useSpeech();
  const [asks, setAsks] = useState<'revoke' | 'remove' | null>(null);
  const [reason, setReason] = useState<RevokeReason>('consent_withdrawn');
  const revoke = useAction(
    useCallback(async () => onChange(await client.avatars.revoke({ avatarId: id, reason })), [client, id, reason, onChange]),
  );
  const remove = useAction(
    useCallback(async () => {
      await client.avatars.remove(id);
      go({ view: 'desk', tab: 'faces', id: null });
    }, [client, id]),
  );
  const error = revoke.error ?? remove.error;
  const close = () => setAsks(null);
  const called = { name: name ?? '' };
  return (
    <>
      {error === null ? null : <FailureNotice error={error} />}
      <div className="form-actions">
        {status === 'ready' ? (
          <button type="button" className="button" disabled={revoke.busy} onClick={() => setAsks('revoke')}>
            {say('revokeFace')}
          </button>
        ) : null}
        <button type="button" className="button button-quiet button-danger-quiet" disabled={remove.busy} onClick={() => setAsks('remove')}>
          {say('deleteFace')}
        </button>
      </div>
      {asks === 'revoke' ? (
        <Confirmation
          title={say('revokeFaceAsk', called)}
          body={say('revokeFaceBody')}
          action={say('revokeFace')}
          onConfirm={revoke.run}
          onClose={close}
        >
          <fieldset className="choices">
            <legend>{say('revokeReason')}</legend>
            {revokeReasons.map((one) => (
              <label key={one} className="choice">
                <input type="radio" name="reason" checked={reason === one} onChange={() => setReason(one)} />
                {say(`revoke_${one}`)}
              </label>
            ))}
          </fieldset>
        </Confirmation>
      ) : null}
      {asks === 'remove' ? (
        <Confirmation
          title={say('deleteFaceAsk', called)}
          body={say('deleteFaceBody')}
          action={say('deleteFace')}
          onConfirm={remove.run}
          onClose={close}
        />
      ) : null}
    </>
  );
}
