import { setPriority } from 'node:os';
import type { Locale } from '@virtual-tutor/schemas';
import { createMoonshine } from '../adapters/moonshine.ts';
import { createWhisper } from '../adapters/whisper.ts';
import { findWhisper } from '../adapters/whisper-files.ts';
import { type Asr, listeningRate, SpeechUnavailable } from '../media/ports.ts';
import type { WorkerConfig } from '../media/protocol.ts';
import { recognitionHealth } from './recognition-health.ts';
import type { RecognitionOrder, RecognitionReport } from './recognition-messages.ts';

/* The program that recognises, for one engine worker: one utterance at a time, as it is asked. */

interface Loaded {
  readonly moonshine: Asr | null;
  readonly whisper: Asr | null;
}

type Attempt = { readonly asr: Asr } | { readonly failure: string };

/** Opened and tried on silence: a damaged file shows now, and the first utterance is not the slow one. */
async function attempt(open: () => Promise<Asr>): Promise<Attempt> {
  try {
    const asr = await open();
    const language = asr.languages[0] ?? 'en';
    await asr.transcribe({ samples: new Float32Array(listeningRate), language, signal: new AbortController().signal });
    return { asr };
  } catch (error) {
    return { failure: reasonOf(error) };
  }
}

async function load(config: WorkerConfig['asr']): Promise<Loaded> {
  const { modelsFolder } = config;
  const embedded = await attempt(createMoonshine);
  const configured =
    modelsFolder === null || !findWhisper({ ...config, modelsFolder }).found
      ? null
      : await attempt(() => createWhisper({ ...config, modelsFolder }));
  const moonshine = 'asr' in embedded ? embedded.asr : null;
  const whisper = configured !== null && 'asr' in configured ? configured.asr : null;
  say({
    type: 'loaded',
    languages: [...new Set([...(moonshine?.languages ?? []), ...(whisper?.languages ?? [])])],
    health: recognitionHealth(config, {
      moonshine: 'failure' in embedded ? embedded.failure : null,
      whisper: configured !== null && 'failure' in configured ? configured.failure : null,
    }),
  });
  return { moonshine, whisper };
}

type Task = Extract<RecognitionOrder, { type: 'transcribe' }>;

/** A configured Whisper has the last word; partials in English come from the faster Moonshine. */
function recogniserFor(
  { moonshine, whisper }: Loaded,
  { language, kind }: { readonly language: Locale; readonly kind: Task['kind'] },
): Asr {
  const embedded = moonshine?.languages.includes(language) === true ? moonshine : null;
  const chosen = kind === 'partial' ? (embedded ?? whisper) : (whisper ?? embedded);
  if (chosen === null) throw new SpeechUnavailable('language_unsupported', `no recogniser for ${language} is installed`);
  return chosen;
}

const running = new Map<number, AbortController>();

async function transcribe(loaded: Promise<Loaded>, { id, samples, language, kind }: Task): Promise<void> {
  const abort = new AbortController();
  running.set(id, abort);
  try {
    const asr = recogniserFor(await loaded, { language, kind });
    say({ type: 'done', id, transcript: await asr.transcribe({ samples, language, signal: abort.signal }) });
  } catch (error) {
    const code = error instanceof SpeechUnavailable ? error.code : 'bad_answer';
    say({ type: 'failed', id, code: abort.signal.aborted ? 'aborted' : code, reason: reasonOf(error) });
  } finally {
    running.delete(id);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}

function say(report: RecognitionReport): void {
  process.send?.(report);
}

// Sound and picture go first where there are fewer cores than work.
setPriority(5);
let loaded = Promise.withResolvers<Loaded>().promise;
process.on('disconnect', () => process.exit(0));
process.on('message', (order: RecognitionOrder) => {
  if (order.type === 'load') loaded = load(order.config);
  else if (order.type === 'cancel') running.get(order.id)?.abort();
  else void transcribe(loaded, order);
});
