import { type ReactNode, useEffect, useRef } from 'react';
import { useSpeech } from '../texts/use-language.tsx';

/** Where the tab opened needs no focus moved; every later view does, so that a screen reader reads its heading. */
let isFirstView = true;

export function useTitle(title: string): void {
  const { say } = useSpeech();
  const product = say('productName');
  useEffect(() => {
    document.title = title === product ? product : `${title} · ${product}`;
  }, [title, product]);
}

export function Page({
  title,
  heading,
  lead,
  actions,
  children,
  wide = false,
}: {
  /** Of the tab. */
  readonly title: string;
  readonly heading?: string;
  readonly lead?: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly wide?: boolean;
}) {
  useTitle(title);
  return (
    <div className={wide ? 'page page-wide' : 'page'}>
      <header className="page-head">
        <div>
          <Heading>{heading ?? title}</Heading>
          {lead === undefined ? null : <p className="lead">{lead}</p>}
        </div>
        {actions}
      </header>
      {children}
    </div>
  );
}

export function Heading({ children, className }: { readonly children: ReactNode; readonly className?: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!isFirstView) heading.current?.focus({ preventScroll: true });
    isFirstView = false;
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1} className={className}>
      {children}
    </h1>
  );
}
