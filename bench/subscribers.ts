import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTutorClient } from '@virtual-tutor/sdk';
import { z } from 'zod';
import { startEngine } from '../test/support/engine.ts';
import { wire } from '../test/support/wire.ts';

/*
 * 5,000 readers of one engine on loopback, all of one lesson (`--lessons 1`) or a class each: what one of them costs
 * in memory, how soon everybody has a student's message (from before it is sent: its way into the log is in it), and
 * what others notice of fifty who stop reading. The peer sends the same text to as many bare WebSockets. Readers are
 * one process, which spends more on a frame than the engine does: they are in the latencies of both.
 */

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    subscribers: { type: 'string', default: '5000' },
    lessons: { type: 'string', default: '1' },
    messages: { type: 'string', default: '10' },
  },
});
const subscribers = Number(values.subscribers);
const lessons = Number(values.lessons);
const messages = Number(values.messages);
const stalled = 50;
/** Long enough for all of it to be read before the next one, ms. */
const betweenMs = 2_000;
const filler = 'why is the sky blue and the evening red, and what of the sea? '.repeat(20);

const Report = z.object({
  p50Ms: z.number(),
  p99Ms: z.number(),
  maxMs: z.number(),
  messages: z.number(),
  frames: z.number(),
  closed: z.number(),
});

/** A child that answers each line with one. */
class Talker {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(file: string) {
    this.process = spawn(process.execPath, [new URL(file, import.meta.url).pathname], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (this.process.stdout === null) throw new Error('a child without a voice');
    this.#lines = createInterface(this.process.stdout)[Symbol.asyncIterator]();
  }

  say(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }

  async hear(): Promise<string> {
    return (await this.#lines.next()).value ?? '';
  }

  async ask(line: string): Promise<string> {
    this.say(line);
    return this.hear();
  }

  [Symbol.dispose](): void {
    this.process.kill();
  }
}

function residentKiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN);
}

interface Crowd {
  readonly url: string;
  readonly pid: number;
  readonly readers: readonly ({ readonly sessionId: string; readonly token: string } | null)[];
  /** Makes everybody hear this text. */
  readonly tell: (text: string) => Promise<void>;
}

async function measure({ url, pid, readers, tell }: Crowd) {
  using clients = new Talker('./subscribers/clients.ts');
  const before = residentKiB(pid);
  const opening = performance.now();
  await clients.ask(JSON.stringify({ url, readers }));
  const openedMs = Math.round(performance.now() - opening);
  await pause(3_000);
  const kibEach = Math.round(((residentKiB(pid) - before) / readers.length) * 10) / 10;
  const round = async () => {
    await clients.ask('start');
    for (let nth = 0; nth < messages; nth += 1) {
      await tell(`at${Math.round((performance.timeOrigin + performance.now()) * 1_000)} ${filler}`);
      await pause(betweenMs);
    }
    return Report.parse(JSON.parse(await clients.ask('report')));
  };
  await tell(`at0 ${filler}`);
  await pause(betweenMs);
  const all = await round();
  await clients.ask(`stall ${stalled}`);
  const withStalled = await round();
  return { kibEach, openedMs, all, withStalled, kibEachAtTheEnd: Math.round(((residentKiB(pid) - before) / readers.length) * 10) / 10 };
}

async function engine() {
  await using running = await startEngine({
    LOG_LEVEL: 'error',
    // Two pieces of a reply a second, as somebody speaks.
    EXTRACTIVE_PACE_MS: '500',
    RATE_PER_KEY: '1000000',
    RATE_PER_ADDRESS: '1000000',
    RATE_PER_TOKEN: '1000000',
    RATE_MESSAGES: '1000000',
  });
  const client = createTutorClient({ url: running.url, apiKey: running.apiKey });
  const made: { readonly sessionId: string; readonly token: string }[] = [];
  for (let i = 0; i < lessons; i += 1) {
    const { session, grant } = await client.sessions.create({ tutorId: 'ada', studentId: `student-${i}` });
    made.push({ sessionId: session.id, token: grant.token });
  }
  const readers = Array.from({ length: subscribers }, (_, i) => made[i % lessons] ?? null);
  return await measure({
    url: `${running.url.replace('http', 'ws')}/trpc?connectionParams=1`,
    pid: running.pid(),
    readers,
    tell: async (text) => {
      const sent = await Promise.all(
        made.map(({ sessionId, token }) =>
          wire(running.url, token).mutate('chat.send', { sessionId, clientMessageId: crypto.randomUUID(), text }),
        ),
      );
      if (sent.some(({ ok }) => !ok)) throw new Error('a message was refused');
    },
  });
}

async function raw() {
  using server = new Talker('./subscribers/raw-server.ts');
  const port = await server.hear();
  return await measure({
    url: `ws://127.0.0.1:${port}`,
    pid: server.process.pid ?? 0,
    readers: Array.from({ length: subscribers }, () => null),
    tell: async (text) => server.say(text),
  });
}

const peer = await raw();
if (!values.json) console.log('raw', peer);
const ours = await engine();
if (!values.json) console.log('engine', ours);
const twoDigits = (figure: number) => Math.round(figure * 100) / 100;
console.log(
  JSON.stringify({
    bench: 'subscribers',
    subscribers,
    lessons,
    kibPerSubscriber: ours.kibEach,
    kibPerRawSocket: peer.kibEach,
    p50Ms: twoDigits(ours.all.p50Ms),
    p99Ms: twoDigits(ours.all.p99Ms),
    p99MsWithStalled: twoDigits(ours.withStalled.p99Ms),
    rawP50Ms: twoDigits(peer.all.p50Ms),
    rawP99Ms: twoDigits(peer.all.p99Ms),
    p99RatioToRawWs: twoDigits(ours.all.p99Ms / peer.all.p99Ms),
    stalled,
    delivered: ours.all.messages,
    expected: subscribers * messages,
    deliveredWithStalled: ours.withStalled.messages,
    expectedWithStalled: (subscribers - stalled) * messages,
    framesPerMessage: twoDigits(ours.all.frames / subscribers / messages),
    kibPerSubscriberAtTheEnd: ours.kibEachAtTheEnd,
    openedMs: ours.openedMs,
  }),
);
