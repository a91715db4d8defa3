import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerConfig } from '../media/protocol.ts';

/* Where a Whisper export lies, and what is missing from it: the layout of `onnx-community/whisper-<size>`. */

const always = ['config.json', 'generation_config.json', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'] as const;

/** Precisions by file suffix, the most fitting first. */
const precisions = {
  cpu: [
    ['q8', '_quantized'],
    ['int8', '_int8'],
    ['fp32', ''],
    ['q4', '_q4'],
  ],
  cuda: [
    ['fp16', '_fp16'],
    ['fp32', ''],
    ['q4', '_q4'],
    ['q8', '_quantized'],
  ],
} as const;

export type WhisperPrecision = (typeof precisions)[keyof typeof precisions][number][0];

export type WhisperFiles =
  | { readonly found: true; readonly precision: WhisperPrecision }
  /** Relative to the models folder; `begun`: some of it is there, so somebody wants it. */
  | { readonly found: false; readonly begun: boolean; readonly missing: readonly string[] };

export function whisperFolder(model: WorkerConfig['asr']['model']): string {
  return `whisper-${model}`;
}

export function findWhisper({
  modelsFolder,
  model,
  device,
}: { readonly modelsFolder: string } & Pick<WorkerConfig['asr'], 'model' | 'device'>): WhisperFiles {
  const folder = whisperFolder(model);
  const has = (file: string) => existsSync(join(modelsFolder, folder, file));
  const weights = (suffix: string) => [`onnx/encoder_model${suffix}.onnx`, `onnx/decoder_model_merged${suffix}.onnx`];
  const missing = always.filter((file) => !has(file));
  const chosen = precisions[device].find(([, suffix]) => weights(suffix).every(has));
  if (chosen !== undefined && missing.length === 0) return { found: true, precision: chosen[0] };
  const needed = chosen === undefined ? [...missing, ...weights(precisions[device][0][1])] : missing;
  return { found: false, begun: existsSync(join(modelsFolder, folder)), missing: needed.map((file) => `${folder}/${file}`) };
}
