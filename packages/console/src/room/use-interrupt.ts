import type { TutorSession } from '@virtual-tutor/sdk';
import { useCallback, useEffect } from 'react';

/** Stops the tutor, also by Esc wherever the focus is. */
export function useInterrupt(session: TutorSession | null, replying: boolean): () => void {
  const stop = useCallback(() => {
    // A refusal means that the reply ended by itself in the meantime; a lost connection shows by itself.
    session?.interrupt().catch(() => undefined);
  }, [session]);
  useEffect(() => {
    if (!replying) return;
    const onKey = (event: KeyboardEvent) => {
      const inDialog = document.querySelector('dialog[open]') !== null;
      if (event.key === 'Escape' && !event.isComposing && !inDialog) stop();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [replying, stop]);
  return stop;
}
