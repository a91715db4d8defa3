import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

/** Nearer to the end than this counts as being there, px. */
const nearPx = 80;

/** Keeps a scroller at its end while content grows, unless the reader has scrolled up. */
export function useStayAtEnd(content: unknown): {
  readonly scroller: RefObject<HTMLElement | null>;
  readonly isAway: boolean;
  readonly toEnd: () => void;
} {
  const scroller = useRef<HTMLElement>(null);
  const stays = useRef(true);
  const [isAway, setIsAway] = useState(false);

  const toEnd = useCallback(() => {
    stays.current = true;
    setIsAway(false);
    const element = scroller.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
  }, []);

  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const onScroll = () => {
      const left = element.scrollHeight - element.scrollTop - element.clientHeight;
      stays.current = left < nearPx;
      setIsAway(!stays.current);
    };
    const resized = new ResizeObserver(() => {
      if (stays.current) element.scrollTop = element.scrollHeight;
    });
    resized.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      resized.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, []);
  useLayoutEffect(() => {
    if (stays.current && scroller.current !== null) scroller.current.scrollTop = scroller.current.scrollHeight;
  }, [content]);

  return { scroller, isAway, toEnd };
}
