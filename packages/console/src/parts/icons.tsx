import type { ReactNode } from 'react';

function Icon({ children }: { readonly children: ReactNode }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const ArrowUp = () => (
  <Icon>
    <path d="M12 19V5M5.5 11.5 12 5l6.5 6.5" />
  </Icon>
);
export const ArrowDown = () => (
  <Icon>
    <path d="M12 5v14M5.5 12.5 12 19l6.5-6.5" />
  </Icon>
);
export const ArrowLeft = () => (
  <Icon>
    <path d="M19 12H5M11.5 5.5 5 12l6.5 6.5" />
  </Icon>
);
export const StopSquare = () => (
  <Icon>
    <rect x="7" y="7" width="10" height="10" rx="2" className="icon-solid" />
  </Icon>
);
export const Cross = () => (
  <Icon>
    <path d="M6 6l12 12M18 6 6 18" />
  </Icon>
);
export const Book = () => (
  <Icon>
    <path d="M4 5.500c3-1 5.5-.7 8 1 2.5-1.7 5-2 8-1v13c-3-1-5.5-.7-8 1-2.5-1.7-5-2-8-1zM12 6.500v13" />
  </Icon>
);
export const Warning = () => (
  <Icon>
    <path d="M12 4 2.8 19.500h18.400zM12 10v4.500M12 17v.01" />
  </Icon>
);
export const Check = () => (
  <Icon>
    <path d="m5 12.5 4.5 4.500L19 7.5" />
  </Icon>
);
export const Retry = () => (
  <Icon>
    <path d="M19 12a7 7 0 1 1-2.2-5.100M19 4v4h-4" />
  </Icon>
);
export const First = () => (
  <Icon>
    <path d="M6 5v14M18 6l-7 6 7 6z" />
  </Icon>
);
export const Previous = () => (
  <Icon>
    <path d="m15 6-7 6 7 6z" />
  </Icon>
);
export const Next = () => (
  <Icon>
    <path d="m9 6 7 6-7 6z" />
  </Icon>
);
export const Last = () => (
  <Icon>
    <path d="M18 5v14M6 6l7 6-7 6z" />
  </Icon>
);
