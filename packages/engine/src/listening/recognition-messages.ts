import type { Locale } from '@virtual-tutor/schemas';
import type { SpeechUnavailable, Transcript } from '../media/ports.ts';
import type { ComponentHealth, WorkerConfig } from '../media/protocol.ts';

/* What a recogniser and its process say to each other. */

export type RecognitionOrder =
  /** First, once. */
  | { readonly type: 'load'; readonly config: WorkerConfig['asr'] }
  | {
      readonly type: 'transcribe';
      readonly id: number;
      readonly samples: Float32Array;
      readonly language: Locale;
      readonly kind: 'partial' | 'final';
    }
  | { readonly type: 'cancel'; readonly id: number };

export type RecognitionReport =
  /** The models are in memory, or are known not to be usable. */
  | { readonly type: 'loaded'; readonly languages: readonly Locale[]; readonly health: readonly ComponentHealth[] }
  | { readonly type: 'done'; readonly id: number; readonly transcript: Transcript }
  | { readonly type: 'failed'; readonly id: number; readonly code: SpeechUnavailable['code'] | 'aborted'; readonly reason: string };
