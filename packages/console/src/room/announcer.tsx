import type { SessionView } from '@virtual-tutor/sdk';
import { useEffect, useRef, useState } from 'react';
import { spokenText } from '../markdown.ts';
import { langOf, useSpeech } from '../texts/use-language.tsx';
import { type Announced, announceable, announcedUpTo } from './announcements.ts';

/** Finished sentences kept for screen readers; what they have read may go. */
const maxLines = 6;

/**
 * Reads the lesson out to screen readers sentence by sentence: pieces of words would be noise. What the
 * tutor says aloud is not said a second time.
 */
export function Announcer({ view, isSpoken }: { readonly view: SessionView; readonly isSpoken: boolean }) {
  const { say, language } = useSpeech();
  const announced = useRef<Announced | null>(null);
  const serial = useRef(0);
  const [lines, setLines] = useState<readonly { readonly id: number; readonly text: string }[]>([]);
  useEffect(() => {
    if (!view.caughtUp) return;
    const news = announced.current === null ? [] : announceable(view, announced.current);
    const fresh = isSpoken ? news.filter(({ type }) => type !== 'sentence') : news;
    announced.current = announcedUpTo(view);
    if (fresh.length === 0) return;
    const texts = fresh.map((item) => (item.type === 'sentence' ? spokenText(item.text) : say(item.type)));
    setLines((current) => [...current, ...texts.map((text) => ({ id: serial.current++, text }))].slice(-maxLines));
  }, [view, say, isSpoken]);
  return (
    <div className="visually-hidden" role="log" aria-live="polite" aria-relevant="additions" lang={langOf(view.locale ?? language)}>
      {lines.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
