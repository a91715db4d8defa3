import type { TutorSession } from '@virtual-tutor/sdk';
import { useEffect } from 'react';

/** Elements that have a use of their own for the Space bar. */
const takesSpace = 'input, textarea, select, button, a, summary, video, [contenteditable], [role="slider"]';

/** The Space bar is the talk button wherever nothing else wants it. */
export function usePushToTalk(session: TutorSession | null, enabled: boolean): void {
  useEffect(() => {
    if (session === null || !enabled) return;
    const left = new AbortController();
    const { signal } = left;
    const release = () => session.media.mic.release();
    const onDown = (event: KeyboardEvent) => {
      const { target } = event;
      const isTaken = target instanceof Element && target.closest(takesSpace) !== null;
      if (event.code !== 'Space' || isTaken || document.querySelector('dialog[open]') !== null) return;
      event.preventDefault();
      if (!event.repeat) session.media.mic.press();
    };
    const onUp = (event: KeyboardEvent) => {
      if (event.code === 'Space') release();
    };
    window.addEventListener('keydown', onDown, { signal });
    window.addEventListener('keyup', onUp, { signal });
    // A key let go elsewhere is never told.
    window.addEventListener('blur', release, { signal });
    return () => {
      left.abort();
      release();
    };
  }, [session, enabled]);
}
