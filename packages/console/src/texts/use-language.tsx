import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { type Language, type Say, sayIn } from './texts.ts';

export interface Speech {
  readonly language: Language;
  readonly say: Say;
  readonly setLanguage: (language: Language) => void;
  readonly dateTime: (iso: string) => string;
  readonly time: (iso: string) => string;
  readonly number: (value: number) => string;
}

const storageKey = 'virtual-tutor-language';
const locales: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-CN' };

const SpeechContext = createContext<Speech | null>(null);

export function SpeechProvider({ children }: { readonly children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(preferredLanguage);
  useEffect(() => {
    document.documentElement.lang = locales[language];
    localStorage.setItem(storageKey, language);
  }, [language]);
  const speech = useMemo(() => ({ ...speechIn(language), setLanguage }), [language]);
  return <SpeechContext value={speech}>{children}</SpeechContext>;
}

export function useSpeech(): Speech {
  const speech = useContext(SpeechContext);
  if (speech === null) throw new Error('useSpeech needs a SpeechProvider above it');
  return speech;
}

/** The `lang` attribute of text in a lesson's language. */
export function langOf(locale: Language | null): string | undefined {
  return locale === null ? undefined : locales[locale];
}

function speechIn(language: Language): Omit<Speech, 'setLanguage'> {
  const locale = locales[language];
  const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  const time = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' });
  const number = new Intl.NumberFormat(locale);
  return {
    language,
    say: sayIn(language),
    dateTime: (iso) => dateTime.format(new Date(iso)),
    time: (iso) => time.format(new Date(iso)),
    number: (value) => number.format(value),
  };
}

function preferredLanguage(): Language {
  const kept = localStorage.getItem(storageKey);
  if (kept === 'en' || kept === 'zh') return kept;
  return navigator.languages
    .find((tag) => /^(en|zh)\b/i.test(tag))
    ?.toLowerCase()
    .startsWith('zh')
    ? 'zh'
    : 'en';
}
