import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { z } from 'zod';

/*
 * Many readers in one process, each with a socket of its own and the least work there is. Told on stdin, a line of
 * JSON each: first whom to read, then `start` (forget what was noted), `stall` (so many read nothing any more) and
 * `report`.
 */
const input = createInterface(process.stdin)[Symbol.asyncIterator]();
const nextLine = async () => (await input.next()).value ?? '';
const { url, readers } = z
  .object({ url: z.string(), readers: z.array(z.object({ sessionId: z.string(), token: z.string() }).nullable()) })
  .parse(JSON.parse(await nextLine()));

/** Sockets that are being opened at once. */
const wave = 100;
const sockets: WebSocket[] = [];
let ages: number[] = [];
let frames = 0;
let closed = 0;

/** A frame with the time of its making in it, µs since the epoch: the student's message, and in what repeats it later nothing. */
function note(data: string): void {
  frames += 1;
  if (!data.includes('"type":"message"') && !data.startsWith('{"raw"')) return;
  const madeAt = /at(\d{16})/.exec(data)?.[1];
  if (madeAt !== undefined) ages.push(performance.timeOrigin + performance.now() - Number(madeAt) / 1_000);
}

function open(reader: (typeof readers)[number]): Promise<void> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  sockets.push(socket);
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => {
      closed += 1;
    });
    socket.on('open', () => {
      if (reader === null) return resolve();
      socket.send(JSON.stringify({ method: 'connectionParams', data: { token: reader.token, protocolVersion: '1' } }));
      const params = { path: 'session.events', input: { sessionId: reader.sessionId } };
      socket.send(JSON.stringify({ id: 1, method: 'subscription', params }));
    });
    socket.on('message', (bytes) => {
      const data = bytes.toString();
      if (data === 'PING') return socket.send('PONG');
      if (data.includes('"caughtUp"')) return resolve();
      note(data);
    });
  });
}

for (let from = 0; from < readers.length; from += wave) await Promise.all(readers.slice(from, from + wave).map(open));
console.log('ready');
for (let line = await nextLine(); line !== ''; line = await nextLine()) {
  const [order, count = '0'] = line.split(' ');
  if (order === 'start') {
    ages = [];
    frames = 0;
  }
  if (order === 'stall') for (const socket of sockets.slice(0, Number(count))) socket.pause();
  if (order === 'report') {
    const sorted = ages.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
    console.log(JSON.stringify({ p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), messages: sorted.length, frames, closed }));
  } else console.log('done');
}
