import type { Locale } from '@virtual-tutor/schemas';
import type { ComponentHealth } from '../media/protocol.ts';
import type { SynthesiserState } from './synthesiser.ts';
import { type Candidate, candidatesFor, type EngineName } from './voices.ts';

const languages: readonly Locale[] = ['en', 'zh'];

export interface SynthesisStates {
  readonly edgeVoice: string | null;
  /** Null: this engine is not used. */
  stateOf(engine: EngineName): SynthesiserState | null;
}

/** A line for each language that lessons are held in. */
export function synthesisHealth(states: SynthesisStates): readonly ComponentHealth[] {
  return languages.map((language) => languageHealth(language, states));
}

function languageHealth(language: Locale, { edgeVoice, stateOf }: SynthesisStates): ComponentHealth {
  const name = `speech synthesis (${language})`;
  const wanted = candidatesFor({ language, voice: null, edgeVoice });
  const working = wanted.find(({ engine }) => stateOf(engine)?.status === 'working');
  const [first] = wanted;
  const reason = first === undefined ? null : adviceOn(first, stateOf(first.engine));
  if (working === undefined) return { name, status: 'down', runsOn: 'nothing', reason };
  return { name, status: working === first ? 'ok' : 'degraded', runsOn: placeOf(working), reason: working === first ? null : reason };
}

function placeOf({ engine, voice }: Candidate): string {
  return engine === 'edge' ? `Edge TTS (${voice}, over the internet)` : `${engine} (cpu, embedded)`;
}

function adviceOn({ engine }: Candidate, state: SynthesiserState | null): string {
  if (engine === 'espeak-ng' && state?.status === 'absent') {
    return 'Install the optional package @echogarden/espeak-ng-emscripten (GPL-3.0) for an embedded Chinese voice, or set TTS_VOICE to a Chinese Edge voice';
  }
  const reason = state === null || state.status === 'working' ? 'it is switched off' : state.reason;
  return `${engine} does not speak: ${reason}`;
}
