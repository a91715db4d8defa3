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
export const Mic = () => (
  <Icon>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.500 11.500a6.500 6.500 0 0 0 13 0M12 18v3" />
  </Icon>
);
export const MicOff = () => (
  <Icon>
    <path d="M9 6a3 3 0 0 1 6 0v4.500M15 13.500a3 3 0 0 1-6-2.500V9M5.500 11.500a6.500 6.500 0 0 0 10.800 4.900M18.300 13a6.500 6.500 0 0 0 .2-1.500M12 18v3M4 4l16 16" />
  </Icon>
);
export const Sound = () => (
  <Icon>
    <path d="M4 9.500v5h3.500L12 18.500v-13L7.500 9.500zM15.500 9a4 4 0 0 1 0 6M18 6.500a7.500 7.500 0 0 1 0 11" />
  </Icon>
);
export const SoundOff = () => (
  <Icon>
    <path d="M4 9.500v5h3.500L12 18.500v-13L7.500 9.500zM16 9.500l5 5M21 9.500l-5 5" />
  </Icon>
);
export const Sliders = () => (
  <Icon>
    <path d="M4 7h9M19 7h1M4 17h2M12 17h8" />
    <circle cx="16" cy="7" r="2.500" />
    <circle cx="9" cy="17" r="2.500" />
  </Icon>
);
