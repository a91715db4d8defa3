import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findWhisper, whisperFolder } from '../adapters/whisper-files.ts';
import type { ComponentHealth, WorkerConfig } from '../media/protocol.ts';

type AsrConfig = WorkerConfig['asr'];

/** Why a recogniser did not load; null: it did, or is about to, or is not configured. */
export interface RecognitionFailures {
  readonly moonshine: string | null;
  readonly whisper: string | null;
}

/** What to do about Whisper; null when it works. */
function whisperAdvice(config: AsrConfig, failure: string | null): string | null {
  const { modelsFolder, model } = config;
  if (modelsFolder === null) {
    return `Spoken Chinese needs a Whisper model: put an ONNX export (onnx-community/whisper-${model} or its like) into the models folder as whisper-${model}`;
  }
  const files = findWhisper({ ...config, modelsFolder });
  if (!files.found) return `Put these files of an ONNX export of whisper-${model} into ${modelsFolder}: ${files.missing.join(', ')}`;
  return failure === null ? null : `whisper-${model} in ${modelsFolder} does not load: ${failure}`;
}

/** A line for each language that lessons are held in. Nothing when recognition is switched off. */
export function recognitionHealth(config: AsrConfig, failures: RecognitionFailures): readonly ComponentHealth[] {
  if (!config.enabled) return [];
  const advice = whisperAdvice(config, failures.whisper);
  const whisper = `whisper-${config.model} (${config.device})`;
  const wanted = config.modelsFolder !== null && existsSync(join(config.modelsFolder, whisperFolder(config.model)));
  return [
    englishHealth({ advice, whisper, wanted, moonshine: failures.moonshine }),
    {
      name: 'speech recognition (zh)',
      status: advice === null ? 'ok' : 'down',
      runsOn: advice === null ? whisper : 'nothing',
      reason: advice,
    },
  ];
}

interface EnglishState {
  readonly advice: string | null;
  readonly whisper: string;
  /** There is a folder for it: somebody wanted Whisper. */
  readonly wanted: boolean;
  readonly moonshine: string | null;
}

function englishHealth({ advice, whisper, wanted, moonshine }: EnglishState): ComponentHealth {
  const name = 'speech recognition (en)';
  if (wanted && advice === null) return { name, status: 'ok', runsOn: whisper, reason: null };
  const runsOn = 'moonshine-tiny-en (cpu, embedded)';
  if (moonshine !== null) return { name, status: 'down', runsOn: 'nothing', reason: `Moonshine does not load: ${moonshine}` };
  // The operator asked for Whisper and gets less.
  if (wanted) return { name, status: 'degraded', runsOn, reason: advice };
  return { name, status: 'ok', runsOn, reason: null };
}
