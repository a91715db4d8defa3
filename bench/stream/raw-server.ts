import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { pacedText } from './pace.ts';

/** The limit: the same text over a bare WebSocket, one JSON frame each. No log, no resume, no tokens. */
const [sessions = 50, perSecond = 50, seconds = 10] = process.argv.slice(2).map(Number);
const input = createInterface(process.stdin)[Symbol.asyncIterator]();
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
await new Promise((resolve) => server.once('listening', resolve));
const address = server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;
const grants = Array.from({ length: sessions }, (_, i) => ({ sessionId: String(i), token: '' }));
console.log(JSON.stringify({ url: `http://127.0.0.1:${port}`, grants }));
await input.next();
for (const [i, client] of [...server.clients].entries()) {
  void (async () => {
    // Lessons are not in step with each other: 50 pieces in one tick would share one wake-up of the reader.
    await sleep((i * 1000) / perSecond / sessions);
    for await (const text of pacedText({ perSecond, seconds })) client.send(JSON.stringify({ type: 'delta', text }));
  })();
}
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
process.exit(0);
