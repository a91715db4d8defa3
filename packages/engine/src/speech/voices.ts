import type { Locale } from '@virtual-tutor/schemas';

export type EngineName = 'flite' | 'espeak-ng' | 'edge';

/** An engine that may speak a sentence, and with which of its voices; null: its usual one. */
export interface Candidate {
  readonly engine: EngineName;
  readonly voice: string | null;
}

const fliteVoice = /^(?:slt|rms|kal|awb)$/;
const edgeVoice = /^[a-z]{2,3}-[A-Z]\w+(?:-\w+)*Neural$/;
/** espeak-ng has over a hundred languages; lessons are held in these. `cmn+f2` is a variant: a woman. */
const espeakVoices: Readonly<Record<Locale, RegExp>> = {
  en: /^en(?:-[a-z0-9-]+)?(?:\+\w+)?$/,
  zh: /^(?:cmn|yue)(?:-[a-z0-9-]+)?(?:\+\w+)?$/,
};

const embedded: Readonly<Record<Locale, readonly Candidate[]>> = {
  en: [
    { engine: 'flite', voice: null },
    { engine: 'espeak-ng', voice: null },
  ],
  zh: [{ engine: 'espeak-ng', voice: null }],
};

export interface Wanted {
  readonly language: Locale;
  /** The tutor's setting: a voice of any engine; null: none. */
  readonly voice: string | null;
  /** The operator's Edge voice; null: no text may leave this machine. */
  readonly edgeVoice: string | null;
}

/**
 * Who may speak, best first: the tutor's own voice, where it knows the language; Edge, where the
 * operator allows it; then what is embedded.
 */
export function candidatesFor({ language, voice, edgeVoice: allowed }: Wanted): readonly Candidate[] {
  const chosen = voice === null ? null : engineOf(voice, language);
  const first = chosen !== null && (chosen !== 'edge' || allowed !== null) ? [{ engine: chosen, voice }] : [];
  const edge = allowed !== null && engineOf(allowed, language) === 'edge' ? [{ engine: 'edge' as const, voice: allowed }] : [];
  const all = [...first, ...edge, ...embedded[language]];
  // Of one engine its first voice is the right one; another would not work where that did not.
  return all.filter(({ engine }, index) => all.findIndex((other) => other.engine === engine) === index);
}

/** The engine that has this voice and speaks this language with it; null: none. */
function engineOf(voice: string, language: Locale): EngineName | null {
  if (fliteVoice.test(voice)) return language === 'en' ? 'flite' : null;
  if (edgeVoice.test(voice)) return voice.startsWith(`${language}-`) || voice.includes('Multilingual') ? 'edge' : null;
  return espeakVoices[language].test(voice) ? 'espeak-ng' : null;
}
