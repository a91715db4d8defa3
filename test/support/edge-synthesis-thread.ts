import { getEnvironmentData, parentPort } from 'node:worker_threads';
import { createEdge } from '../../packages/engine/src/adapters/edge.ts';
import { SpeechUnavailable } from '../../packages/engine/src/media/ports.ts';
import type { SynthesisOrder, SynthesisReport } from '../../packages/engine/src/speech/synthesis-messages.ts';
import { agentTo } from './edge-tts-server.ts';

/* Edge's synthesis thread, with the stand-in at the other end: its port is `edgePort` in the environment data. */

const edge = createEdge({ agent: agentTo(Number(getEnvironmentData('edgePort'))), timeoutMs: 2_000 });

function report(message: SynthesisReport): void {
  parentPort?.postMessage(message);
}

parentPort?.on('message', (order: SynthesisOrder) => {
  if (order.type !== 'speak') return;
  edge.synthesize({ ...order, signal: new AbortController().signal }).then(
    (speech) => report({ type: 'spoken', id: order.id, speech }),
    (error: unknown) => {
      const code = error instanceof SpeechUnavailable ? error.code : 'bad_answer';
      report({ type: 'failed', id: order.id, code, reason: String(error) });
    },
  );
});
report({ type: 'opened' });
