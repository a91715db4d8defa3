import { SpeechUnavailable } from '../media/ports.ts';

/** What this engine uses of the optional package, which comes without types. */
interface EspeakModule {
  readonly default: () => Promise<{ readonly eSpeakNGWorker: new () => EspeakWorker }>;
}

export interface EspeakEvent {
  readonly type: 'samplerate' | 'sentence' | 'word' | 'phoneme' | 'mark' | 'play' | 'end' | 'msg_terminated';
  /** In characters (code points), from 1. */
  readonly text_position: number;
  readonly word_length: number;
  /** ms. */
  readonly audio_position: number;
  /** A phoneme's name, a word's number. */
  readonly id?: string | number;
}

export interface EspeakWorker {
  /** Words a minute. */
  rate: number;
  /** 0 to 99. */
  pitch: number;
  /** 0 to 99. */
  range: number;
  /** Hz. */
  readonly samplerate: number;
  /** 0 when it knows the voice. */
  set_voice(name: string): number;
  /** Calls back until that answers true; samples are 16 bits, little-endian. */
  synthesize(text: string, onPart: (samples: ArrayBuffer | null, events: readonly EspeakEvent[]) => boolean): void;
}

/** Throws `SpeechUnavailable` where the package is not installed. */
export async function openEspeakWorker(): Promise<EspeakWorker> {
  // Untyped, because it may not be there: what is imported so is `any`, and this is what it is.
  const module: EspeakModule = await import(locate());
  const { eSpeakNGWorker } = await module.default();
  return new eSpeakNGWorker();
}

function locate(): string {
  try {
    return import.meta.resolve('@echogarden/espeak-ng-emscripten');
  } catch (error) {
    throw new SpeechUnavailable('not_installed', 'the optional package @echogarden/espeak-ng-emscripten is not installed', {
      cause: error,
    });
  }
}
