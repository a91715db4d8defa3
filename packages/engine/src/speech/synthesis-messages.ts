import type { Locale } from '@virtual-tutor/schemas';
import type { Speech, SpeechUnavailable } from '../media/ports.ts';

/* What a speaker and the threads that synthesise say to each other. */

/** What a thread is started with. */
export type SynthesisSetup = { readonly engine: 'flite' } | { readonly engine: 'espeak-ng' } | { readonly engine: 'edge' };

export type SynthesisOrder =
  | { readonly type: 'speak'; readonly id: number; readonly text: string; readonly language: Locale; readonly voice: string | null }
  /** Nobody listens any more. */
  | { readonly type: 'cancel'; readonly id: number };

export type SynthesisReport =
  | { readonly type: 'opened' }
  /** For good: this machine does not have it. */
  | { readonly type: 'absent'; readonly code: SpeechUnavailable['code']; readonly reason: string }
  | { readonly type: 'spoken'; readonly id: number; readonly speech: Speech }
  | { readonly type: 'failed'; readonly id: number; readonly code: SpeechUnavailable['code']; readonly reason: string };
