import { Dialog } from '../parts/dialog.tsx';
import { langOf, useSpeech } from '../texts/use-language.tsx';
import { RichText } from './rich-text.tsx';
import type { OpenedPassage, Speaker } from './turn-view.tsx';

/** The words of the course that a sentence rests on. */
export function PassageSheet({
  opened,
  tutor,
  onClose,
}: {
  readonly opened: OpenedPassage;
  readonly tutor: Speaker;
  readonly onClose: () => void;
}) {
  const { say } = useSpeech();
  const { passage, number } = opened;
  return (
    <Dialog sheet title={passage.title ?? say('passageTitle', { number })} onClose={onClose}>
      <p className="sheet-kicker">
        <span className="source-number">{number}</span>
        {say('passageFrom')}
      </p>
      {passage.text === null ? (
        <p>{say('passageGone')}</p>
      ) : (
        <blockquote className="passage" lang={langOf(tutor.locale)}>
          <RichText text={passage.text} />
        </blockquote>
      )}
    </Dialog>
  );
}
