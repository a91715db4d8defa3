import { createInterface } from 'node:readline';
import { z } from 'zod';

/** Reads every stream with the least work there is, and notes how old each piece is when it comes. */
const kind = process.argv[2];
const input = createInterface(process.stdin)[Symbol.asyncIterator]();
const { url, grants } = z
  .object({ url: z.string(), grants: z.array(z.object({ sessionId: z.string(), token: z.string() })) })
  .parse(JSON.parse((await input.next()).value ?? ''));

const ages: number[] = [];
let lastAt = 0;
function note(frame: string): void {
  // A frame may carry several pieces joined; durable sentences repeat what was shown and do not count.
  if (!frame.includes('"delta"')) return;
  const now = (performance.timeOrigin + performance.now()) * 1000;
  for (const [, madeAt] of frame.matchAll(/at(\d{16})/g)) ages.push((now - Number(madeAt)) / 1000);
  lastAt = performance.now();
}

await Promise.all(
  grants.map(
    ({ sessionId, token }) =>
      new Promise<void>((resolve, reject) => {
        const socket = new WebSocket(`${url.replace('http', 'ws')}${kind === 'engine' ? '/trpc?connectionParams=1' : '/'}`);
        socket.addEventListener('error', () => reject(new Error('a socket did not open')));
        socket.addEventListener('open', () => {
          if (kind === 'engine') {
            socket.send(JSON.stringify({ method: 'connectionParams', data: { token, protocolVersion: '1' } }));
            socket.send(JSON.stringify({ id: 1, method: 'subscription', params: { path: 'session.events', input: { sessionId } } }));
          } else resolve();
        });
        socket.addEventListener('message', ({ data }) => {
          if (data === 'PING') return socket.send('PONG');
          if (kind === 'engine' && String(data).includes('"caughtUp"')) resolve();
          note(String(data));
        });
      }),
  ),
);
console.log('ready');
while (lastAt === 0 || performance.now() - lastAt < 1_500) await new Promise((resolve) => setTimeout(resolve, 100));
ages.sort((a, b) => a - b);
const at = (share: number) => ages[Math.min(ages.length - 1, Math.floor(ages.length * share))] ?? Number.NaN;
console.log(JSON.stringify({ p50Ms: at(0.5), p99Ms: at(0.99), delivered: ages.length }));
