import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecognitionOrder, RecognitionReport } from '../../packages/engine/src/listening/recognition-messages.ts';

/*
 * A recognition process in trouble. The first sample says what happens: 1: it dies; 2: it dies the first
 * time, and the next process knows by a file in the models folder; 3: it hangs; anything else: it
 * answers with the number of samples.
 */

let folder = '';
const say = (report: RecognitionReport) => process.send?.(report);

process.on('disconnect', () => process.exit(0));
process.on('message', (order: RecognitionOrder) => {
  if (order.type === 'load') {
    folder = order.config.modelsFolder ?? '';
    if (existsSync(join(folder, 'broken'))) process.exit(1);
    say({ type: 'loaded', languages: ['en'], health: [{ name: 'speech recognition (en)', status: 'ok', runsOn: 'a test', reason: null }] });
  }
  if (order.type !== 'transcribe') return;
  const [trouble] = order.samples;
  const seen = join(folder, 'died-once');
  if (trouble === 1) process.exit(1);
  if (trouble === 2 && !existsSync(seen)) {
    writeFileSync(seen, '');
    process.kill(process.pid, 'SIGSEGV');
  }
  if (trouble === 3) return;
  const transcript = { text: String(order.samples.length), language: order.language, engine: 'test', model: String(process.pid) } as const;
  say({ type: 'done', id: order.id, transcript });
});
