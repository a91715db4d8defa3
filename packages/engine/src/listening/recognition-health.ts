import { findWhisper } from '../adapters/whisper-files.ts';
import type { ComponentHealth, WorkerConfig } from '../media/protocol.ts';

type AsrConfig = WorkerConfig['asr'];

/** Why a recogniser did not load; null: it did, or is about to, or is not configured. */
export interface RecognitionFailures {
  readonly moonshine: string | null;
  readonly whisper: string | null;
}

type WhisperState =
  | { readonly is: 'usable' }
  /** `wanted`: the operator began to install it, and gets less. */
  | { readonly is: 'not usable'; readonly wanted: boolean; readonly advice: string };

function whisperState(config: AsrConfig, failure: string | null): WhisperState {
  const { modelsFolder, model } = config;
  if (modelsFolder === null) {
    const advice = `Spoken Chinese needs a Whisper model: put an ONNX export (onnx-community/whisper-${model} or its like) into the models folder as whisper-${model}`;
    return { is: 'not usable', wanted: false, advice };
  }
  const files = findWhisper({ ...config, modelsFolder });
  if (!files.found) {
    const advice = `Put these files of an ONNX export of Whisper (onnx-community/whisper-${model} or its like) into ${modelsFolder}: ${files.missing.join(', ')}`;
    return { is: 'not usable', wanted: files.begun, advice };
  }
  if (failure === null) return { is: 'usable' };
  return { is: 'not usable', wanted: true, advice: `whisper-${model} in ${modelsFolder} does not load: ${failure}` };
}

/** A line for each language that lessons are held in. Nothing when recognition is switched off. */
export function recognitionHealth(config: AsrConfig, failures: RecognitionFailures): readonly ComponentHealth[] {
  if (!config.enabled) return [];
  const whisper = whisperState(config, failures.whisper);
  const english = { name: 'speech recognition (en)' };
  const chinese = { name: 'speech recognition (zh)' };
  if (whisper.is === 'usable') {
    const usable = { status: 'ok', runsOn: `whisper-${config.model} (${config.device})`, reason: null } as const;
    return [
      { ...english, ...usable },
      { ...chinese, ...usable },
    ];
  }
  return [
    { ...english, ...embeddedHealth(whisper, failures.moonshine) },
    { ...chinese, status: 'down', runsOn: 'nothing', reason: whisper.advice },
  ];
}

function embeddedHealth(
  whisper: Extract<WhisperState, { is: 'not usable' }>,
  failure: string | null,
): Pick<ComponentHealth, 'status' | 'runsOn' | 'reason'> {
  if (failure !== null) return { status: 'down', runsOn: 'nothing', reason: `Moonshine does not load: ${failure}` };
  const runsOn = 'moonshine-tiny-en (cpu, embedded)';
  return whisper.wanted ? { status: 'degraded', runsOn, reason: whisper.advice } : { status: 'ok', runsOn, reason: null };
}
