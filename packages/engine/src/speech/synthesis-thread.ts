import { parentPort, workerData } from 'node:worker_threads';
import { type Speech, SpeechUnavailable, type Tts } from '../media/ports.ts';
import type { SynthesisOrder, SynthesisReport, SynthesisSetup } from './synthesis-messages.ts';

/* The program of a synthesis thread: one engine, opened and warmed up, then sentences as they are asked for. */

const setup: SynthesisSetup = workerData;
const running = new Map<number, AbortController>();

/** Each engine is loaded only in the thread that runs it. */
async function open(): Promise<Tts> {
  switch (setup.engine) {
    case 'flite':
      return (await import('../adapters/flite.ts')).createFlite();
    case 'espeak-ng':
      return (await import('../adapters/espeak.ts')).createEspeak();
    case 'edge':
      return (await import('../adapters/edge.ts')).createEdge();
  }
}

/** The first sentence must not pay for compilation. */
async function warmUp(tts: Tts): Promise<void> {
  const signal = new AbortController().signal;
  if (setup.engine === 'edge') return;
  for (const language of tts.languages) {
    const text = language === 'zh' ? '大家好，我们现在开始上课。' : 'Good morning, let us begin with the first question of the day.';
    for (let round = 0; round < 2; round += 1) await tts.synthesize({ text, language, voice: null, signal });
  }
}

async function speak(tts: Tts, order: Extract<SynthesisOrder, { type: 'speak' }>): Promise<void> {
  const abort = new AbortController();
  running.set(order.id, abort);
  try {
    const speech = await tts.synthesize({ ...order, signal: abort.signal });
    report({ type: 'spoken', id: order.id, speech }, speech);
  } catch (error) {
    const { code, reason } = failureOf(error);
    report({ type: 'failed', id: order.id, code, reason });
  } finally {
    running.delete(order.id);
  }
}

function report(message: SynthesisReport, speech?: Speech): void {
  const buffer = speech?.samples.buffer;
  parentPort?.postMessage(message, buffer instanceof ArrayBuffer ? [buffer] : []);
}

/** The reasons of `SpeechUnavailable` hold no words of anybody's; others' might. */
function failureOf(error: unknown): { readonly code: SpeechUnavailable['code']; readonly reason: string } {
  if (error instanceof SpeechUnavailable) return { code: error.code, reason: error.message };
  return { code: 'bad_answer', reason: 'the synthesiser failed' };
}

async function run(): Promise<void> {
  try {
    const tts = await open();
    await warmUp(tts);
    parentPort?.on('message', (order: SynthesisOrder) => {
      if (order.type === 'cancel') running.get(order.id)?.abort();
      else void speak(tts, order);
    });
    report({ type: 'opened' });
  } catch (error) {
    // Anything else may go better in another thread: this one crashes.
    if (!(error instanceof SpeechUnavailable)) throw error;
    report({ type: 'absent', ...failureOf(error) });
  }
}

void run();
