import type { Avatar, TutorClient } from '@virtual-tutor/sdk';
import { useCallback, useEffect } from 'react';
import { firstOf } from '../../engine/pages.ts';
import { useLoaded } from '../../engine/use-loaded.ts';
import { Blank, FailureNotice, Loading } from '../../parts/notice.tsx';
import { hrefOf } from '../../router.ts';
import { useSpeech } from '../../texts/use-language.tsx';
import { newId } from '../new-id.ts';
import { usePicture } from './use-picture.ts';

/** While something is being made. */
const refreshMs = 3_000;

/** Filmed tutors, newest first. */
export function Faces({ client }: { readonly client: TutorClient }) {
  const { say } = useSpeech();
  const { loaded, reload } = useLoaded(useCallback((signal: AbortSignal) => firstOf(client.avatars.list({ signal })), [client]));
  const isMoving = loaded.status === 'loaded' && loaded.value.some(({ status }) => status === 'queued' || status === 'building');
  useEffect(() => {
    if (!isMoving) return;
    const timer = window.setInterval(reload, refreshMs);
    return () => window.clearInterval(timer);
  }, [isMoving, reload]);
  if (loaded.status === 'loading') return <Loading />;
  if (loaded.status === 'failed') return <FailureNotice error={loaded.error} onRetry={reload} />;
  return (
    <>
      {loaded.value.length === 0 ? (
        <Blank title={say('noFacesTitle')}>
          <p>{say('noFacesBody')}</p>
        </Blank>
      ) : null}
      <ul className="rows">
        {loaded.value.map((avatar) => (
          <li key={avatar.id}>
            <FaceRow avatar={avatar} client={client} />
          </li>
        ))}
      </ul>
      <p className="after-rows">
        <a className="button" href={hrefOf({ view: 'desk', tab: 'faces', id: newId })}>
          {say('newFace')}
        </a>
      </p>
    </>
  );
}

function FaceRow({ avatar, client }: { readonly avatar: Avatar; readonly client: TutorClient }) {
  const { say, dateTime, number } = useSpeech();
  const { id, name, status, position, createdAt } = avatar;
  const thumbnail = usePicture(client, id, status === 'ready' ? 'thumbnail.jpg' : null);
  return (
    <a className="row" href={hrefOf({ view: 'desk', tab: 'faces', id })}>
      <span className="face-thumbnail">{thumbnail === null ? null : <img src={thumbnail} alt="" />}</span>
      <span className="row-words">
        <span className="row-title">{name}</span>
        <span className="row-facts">
          {position === null || position === 0 ? (
            <time dateTime={createdAt}>{dateTime(createdAt)}</time>
          ) : (
            say('facePosition', { count: number(position) })
          )}
        </span>
      </span>
      <span className={`tag tag-face-${status}`}>{say(`face_${status}`)}</span>
      <span className="row-action">
        {say('open')}
        <span className="visually-hidden"> {name}</span>
      </span>
    </a>
  );
}
