import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Llm } from '@virtual-tutor/engine';
import { type SessionId, StudentId, TutorId } from '@virtual-tutor/schemas';
import { defaultTenant } from '../../packages/server/src/app/access.ts';
import { parseConfig } from '../../packages/server/src/config.ts';
import { createLog } from '../../packages/server/src/log.ts';
import { startNode } from '../../packages/server/src/node.ts';
import { freePort } from '../../test/support/postgres.ts';
import { pacedText } from './pace.ts';

/** The real node with the real log; only the model is ours, so that its pace is known. */
const [sessions = 50, perSecond = 50, seconds = 10] = process.argv.slice(2).map(Number);
const input = createInterface(process.stdin)[Symbol.asyncIterator]();
const dataDir = mkdtempSync(join(tmpdir(), 'tutor-bench-'));
const model: Llm = {
  provider: 'paced',
  onlyModel: 'paced',
  probe: async () => ({ ok: true }),
  async *generate() {
    for await (const text of pacedText({ perSecond, seconds })) yield { type: 'text', text };
  },
};
const env = {
  DATA_DIR: dataDir,
  MANAGEMENT_API_HOST: '127.0.0.1',
  MANAGEMENT_API_PORT: String(await freePort()),
  WEBSOCKET_PORT: '0',
  ENABLE_TTS: 'false',
  ENABLE_ASR: 'false',
  ENABLE_AVATAR: 'false',
  LOG_LEVEL: 'error',
};
const node = await startNode(parseConfig(env), createLog('error'), model);
const context = { tenantId: defaultTenant, actor: { kind: 'system', id: 'bench' } } as const;
const grants: { readonly sessionId: SessionId; readonly token: string }[] = [];
for (let i = 0; i < sessions; i += 1) {
  const made = await node.app.sessions.create(
    { tutorId: TutorId.parse('ada'), studentId: StudentId.parse(`s${i}`), mode: 'session' },
    context,
  );
  if ('refused' in made) throw new Error(made.refused.message);
  grants.push({ sessionId: made.session.id, token: made.grant.token });
}
console.log(JSON.stringify({ url: node.url, grants }));
await input.next();
await Promise.all(
  grants.map(({ sessionId }) =>
    node.app.lessons.receive(sessionId, { clientMessageId: crypto.randomUUID(), text: 'go', spoken: null }, context),
  ),
);
// What counts is the stream, not the messages before it.
await sleep(500);
const before = { all: process.cpuUsage(), thread: process.threadCpuUsage() };
await input.next();
const secondsOf = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1e6;
console.log(
  JSON.stringify({
    processSeconds: secondsOf(process.cpuUsage(before.all)),
    threadSeconds: secondsOf(process.threadCpuUsage(before.thread)),
  }),
);
await node[Symbol.asyncDispose]();
rmSync(dataDir, { recursive: true, force: true });
process.exit(0);
