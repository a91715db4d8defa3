import type { Avatar, AvatarStage } from '@virtual-tutor/sdk';
import { useSpeech } from '../../texts/use-language.tsx';

const stages: readonly AvatarStage[] = ['probe', 'frames', 'face', 'idle', 'renderer'];

/** How far it is, stage by stage. */
export function Building({ avatar: { position, progress } }: { readonly avatar: Avatar }) {
  const { say, number } = useSpeech();
  const at = progress === null ? -1 : stages.indexOf(progress.stage);
  return (
    <section className="card" aria-live="polite">
      {position === null || position === 0 ? null : <p>{say('facePosition', { count: number(position) })}</p>}
      <ol className="stages">
        {stages.map((stage, index) => (
          <li key={stage} className={index < at ? 'stage-done' : index === at ? 'stage-now' : 'stage-later'}>
            <span>{say(`faceStage_${stage}`)}</span>
            {index === at ? <progress max={1} value={progress?.fraction ?? 0} aria-label={say(`faceStage_${stage}`)} /> : null}
          </li>
        ))}
      </ol>
      <p className="hint">{say('leaveIsFine')}</p>
    </section>
  );
}
