import type { Avatar, TutorClient } from '@virtual-tutor/sdk';
import { Notice } from '../../parts/notice.tsx';
import { hrefOf } from '../../router.ts';
import { useSpeech } from '../../texts/use-language.tsx';
import { newId } from '../new-id.ts';
import { usePicture } from './use-picture.ts';

/** Why a clip was refused, each reason with the picture that shows it. */
export function Reasons({ client, avatar }: { readonly client: TutorClient; readonly avatar: Avatar }) {
  const { say } = useSpeech();
  return (
    <>
      <Notice tone="bad" title={say('faceRefusedTitle')}>
        <p>{say('faceRefusedBody')}</p>
      </Notice>
      <ul className="faults">
        {avatar.reasons.map((reason) => (
          <Fault key={reason.code} client={client} avatarId={avatar.id} reason={reason} />
        ))}
      </ul>
      <p className="after-rows">
        <a className="button button-primary" href={hrefOf({ view: 'desk', tab: 'faces', id: newId })}>
          {say('newFace')}
        </a>
      </p>
    </>
  );
}

function Fault({
  client,
  avatarId,
  reason: { code, atMs, picture },
}: {
  readonly client: TutorClient;
  readonly avatarId: string;
  readonly reason: Avatar['reasons'][number];
}) {
  const { say, number } = useSpeech();
  const address = usePicture(client, avatarId, picture);
  const seconds = atMs === null ? null : number(Math.round(atMs / 100) / 10);
  return (
    <li className="card fault">
      {address === null || seconds === null ? null : <img src={address} alt={say('faultPicture', { seconds })} />}
      <p>
        {say(`fault_${code}`)} {seconds === null ? null : <span className="hint">({say('atSecond', { seconds })})</span>}
      </p>
    </li>
  );
}
