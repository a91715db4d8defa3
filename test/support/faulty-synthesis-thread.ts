import { getEnvironmentData, parentPort, workerData } from 'node:worker_threads';
import type { SynthesisOrder, SynthesisReport } from '../../packages/engine/src/speech/synthesis-messages.ts';
import { wordsIn } from '../../packages/engine/src/speech/word-times.ts';

/*
 * A synthesis thread that does as the sentence says: "crash", "hang", "fail", or else it hums for as
 * long as the words take. Environment data: `troubles`, how often the first two happen; `opening`, what
 * happens before the first sentence; `absent`, the engine that is not installed.
 */

const shared = getEnvironmentData('troubles');
const troubles = shared instanceof SharedArrayBuffer ? new Int32Array(shared) : new Int32Array(1);

function report(message: SynthesisReport): void {
  parentPort?.postMessage(message);
}

function speak({ id, text }: Extract<SynthesisOrder, { type: 'speak' }>): void {
  const inTrouble = /crash|hang/.test(text) && Atomics.sub(troubles, 0, 1) > 0;
  if (inTrouble && text.includes('crash')) process.exit(1);
  if (inTrouble) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  if (text.includes('fail')) report({ type: 'failed', id, code: 'bad_answer', reason: 'it was told to' });
  else if (!text.includes('wait')) {
    const words = wordsIn(text).map((word, index) => ({ ...word, startMs: index * 100, endMs: index * 100 + 100 }));
    report({
      type: 'spoken',
      id,
      speech: { samples: new Int16Array(4_800 * words.length).fill(1), visemes: [], words, engine: `faulty ${workerData.engine}` },
    });
  }
}

const opening = getEnvironmentData('opening');
if (opening === 'crash') process.exit(1);
if (opening === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
if (getEnvironmentData('absent') === workerData.engine) report({ type: 'absent', code: 'not_installed', reason: 'not here' });
else {
  parentPort?.on('message', (order: SynthesisOrder) => {
    if (order.type === 'speak') speak(order);
  });
  report({ type: 'opened' });
}
