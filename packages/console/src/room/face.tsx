import type { MediaState, TutorSession } from '@virtual-tutor/sdk';
import { useTutorVideo } from '@virtual-tutor/sdk/react';
import { Avatar } from '../parts/avatar.tsx';
import { Sound } from '../parts/icons.tsx';
import { useSpeech } from '../texts/use-language.tsx';
import type { Speaker } from './turn-view.tsx';

/** The tutor, moving; an initial until the first picture is there. */
export function Face({
  session,
  media,
  tutor,
  speaking,
}: {
  readonly session: TutorSession | null;
  readonly media: MediaState;
  readonly tutor: Speaker;
  readonly speaking: boolean;
}) {
  const { say } = useSpeech();
  const video = useTutorVideo(session);
  const waiting = session !== null && !media.picture && (media.status === 'connecting' || media.abilities?.face === true);
  return (
    <div className={`face${speaking ? ' face-speaking' : ''}${media.picture ? '' : ' face-resting'}${waiting ? ' face-waiting' : ''}`}>
      <video ref={video} playsInline autoPlay aria-label={say('tutorPicture', { name: tutor.name })}>
        {/* The words stand under the picture, as they are said. */}
        <track kind="captions" />
      </video>
      {media.picture ? null : <Avatar id={tutor.id} name={tutor.name} large />}
      <Badge media={media} />
      {session !== null && media.sound === 'blocked' ? (
        <button
          type="button"
          className="button button-primary face-sound"
          onClick={() => void session.media.resume().catch(() => undefined)}
        >
          <Sound />
          {say('soundOn')}
        </button>
      ) : null}
    </div>
  );
}

function Badge({ media }: { readonly media: MediaState }) {
  const { say } = useSpeech();
  if (media.status === 'recovering') return <p className="badge badge-late">{say('voiceRecovering')}</p>;
  if (media.status === 'connecting') return <p className="badge badge-late">{say('voiceConnecting')}</p>;
  if (media.status === 'connected' && media.quality === 'voice') {
    return <p className="badge">{say(media.picture ? 'badgePictureRests' : 'badgeVoiceOnly')}</p>;
  }
  return null;
}
