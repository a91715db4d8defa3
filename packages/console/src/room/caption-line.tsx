import type { Caption, Hearing } from '@virtual-tutor/sdk';
import { useLayoutEffect, useRef } from 'react';
import { langOf, useSpeech } from '../texts/use-language.tsx';
import { captionText } from './caption-text.ts';
import type { Speaker } from './turn-view.tsx';

/** What is being said, by either side. Screen readers have the conversation for it. */
export function CaptionLine({
  tutor,
  caption,
  hearing,
}: {
  readonly tutor: Speaker;
  readonly caption: Caption | null;
  readonly hearing: Hearing;
}) {
  const { say } = useSpeech();
  const lang = langOf(tutor.locale);
  return (
    <div className="caption" aria-hidden="true" lang={lang}>
      {hearing.partial !== '' ? (
        <p className="caption-student">
          <span className="caption-who">{say('youSaying')}</span>
          {hearing.partial}
        </p>
      ) : caption === null ? null : (
        <Sentence caption={caption} />
      )}
    </div>
  );
}

function Sentence({ caption }: { readonly caption: Caption }) {
  const { said, word, rest } = captionText(caption);
  const box = useRef<HTMLParagraphElement>(null);
  const now = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const frame = box.current?.parentElement;
    const line = now.current;
    if (frame == null || line === null) return;
    // The line that is being said stays in sight, and the one before it.
    const top = line.offsetTop - frame.offsetTop;
    if (top < frame.scrollTop || top + line.offsetHeight > frame.scrollTop + frame.clientHeight) {
      frame.scrollTop = Math.max(0, top - line.offsetHeight);
    }
  });
  return (
    <p ref={box} className={caption.paused ? 'caption-tutor caption-paused' : 'caption-tutor'}>
      <span className="caption-said">{said}</span>
      <span ref={now} className="caption-word">
        {word}
      </span>
      <span className="caption-rest">{rest}</span>
    </p>
  );
}
