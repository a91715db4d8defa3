import { availableParallelism } from 'node:os';
import { mostTokens, withoutRepetition } from '../listening/repetition.ts';
import { type Asr, SpeechUnavailable } from '../media/ports.ts';
import type { WorkerConfig } from '../media/protocol.ts';
import { findWhisper, whisperFolder } from './whisper-files.ts';

/*
 * Whisper (MIT) from a folder of the operator's, through transformers.js; nothing is ever fetched. The
 * library and sharp, which it brings along, are loaded only once a folder is configured.
 */

/** Fast Mandarin, with as many tokens as Whisper spends on it. */
const tokensPerSecond = 14;
/** The decoder's context, less what begins every transcript. */
const tokensAtMost = 440;

export async function createWhisper(
  config: { readonly modelsFolder: string } & Pick<WorkerConfig['asr'], 'model' | 'device'>,
): Promise<Asr> {
  const files = findWhisper(config);
  if (!files.found) throw new SpeechUnavailable('not_installed', `missing below ${config.modelsFolder}: ${files.missing.join(', ')}`);
  const { env, LogLevel, pipeline, InterruptableStoppingCriteria } = await import('@huggingface/transformers');
  env.allowRemoteModels = false;
  env.localModelPath = config.modelsFolder;
  // Its error lines hold the model's inputs: what a student said.
  env.logLevel = LogLevel.NONE;
  const folder = whisperFolder(config.model);
  const recognise = await pipeline('automatic-speech-recognition', folder, {
    dtype: files.precision,
    device: config.device,
    local_files_only: true,
    session_options: { intraOpNumThreads: Math.max(1, Math.floor(availableParallelism() / 2)) },
  });
  return {
    name: 'whisper',
    model: folder,
    languages: ['en', 'zh'],
    async transcribe({ samples, language, signal }) {
      signal.throwIfAborted();
      const stop = new InterruptableStoppingCriteria();
      const interrupt = () => stop.interrupt();
      signal.addEventListener('abort', interrupt, { once: true });
      try {
        const { text } = await recognise(samples, {
          language,
          task: 'transcribe',
          max_new_tokens: Math.min(tokensAtMost, mostTokens(samples.length, tokensPerSecond)),
          stopping_criteria: stop,
        });
        signal.throwIfAborted();
        return { text: saidOnce(text), language, engine: 'whisper', model: folder };
      } finally {
        signal.removeEventListener('abort', interrupt);
      }
    },
  };
}

/** Words where there are spaces, characters where there are none. */
function saidOnce(text: string): string {
  const parts = text.trim().match(/[\p{Script=Han}]|[^\s\p{Script=Han}]+\s*|\s+/gu) ?? [];
  return withoutRepetition(parts).join('').trim();
}
