import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/*
 * 50 sessions x 50 deltas/s for 10 s: what the engine's feed adds to a bare WebSocket that sends the
 * same text. Server and clients are processes of their own; the runs alternate; medians of three.
 * The thread that streams is compared with raw ws; the whole process also holds the embedded database,
 * which writes two facts a second for each session.
 */
const sessions = 50;
const deltasPerSecond = 50;
const seconds = 10;
const rounds = 3;

const Ready = z.object({ url: z.string(), grants: z.array(z.object({ sessionId: z.string(), token: z.string() })) });
const Result = z.object({
  threadSeconds: z.number(),
  processSeconds: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  delivered: z.number(),
});
type Result = z.infer<typeof Result>;

const here = (file: string) => new URL(file, import.meta.url).pathname;

async function run(kind: 'engine' | 'raw'): Promise<Result> {
  const server = spawn(process.execPath, [here(`./stream/${kind}-server.ts`), String(sessions), String(deltasPerSecond), String(seconds)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
  const ready = Ready.parse(JSON.parse((await lines.next()).value ?? ''));
  const client = spawn(process.execPath, [here('./stream/client.ts'), kind], { stdio: ['pipe', 'pipe', 'inherit'] });
  const clientLines = createInterface(client.stdout)[Symbol.asyncIterator]();
  client.stdin.write(`${JSON.stringify(ready)}\n`);
  await clientLines.next();
  server.stdin.write('go\n');
  const measured = JSON.parse((await clientLines.next()).value ?? '');
  server.stdin.write('stop\n');
  const used = JSON.parse((await lines.next()).value ?? '');
  client.kill();
  if (server.exitCode === null) await once(server, 'exit');
  return Result.parse({ ...measured, ...used });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const results: Record<'engine' | 'raw', Result[]> = { engine: [], raw: [] };
for (let round = 0; round < rounds; round += 1) {
  for (const kind of ['raw', 'engine'] as const) {
    const result = await run(kind);
    results[kind].push(result);
    if (!process.argv.includes('--json')) console.log(kind, result);
  }
}
const of = (kind: 'engine' | 'raw', pick: (result: Result) => number) => median(results[kind].map(pick));
const ratiosOf = (pick: (result: Result) => number) =>
  results.engine.map((result, i) => pick(result) / (results.raw.map(pick)[i] ?? Number.NaN));
const ratios = ratiosOf(({ threadSeconds }) => threadSeconds);
console.log(
  JSON.stringify({
    bench: 'stream',
    sessions,
    deltasPerSecond,
    seconds,
    rounds,
    cpuRatioToRawWs: median(ratios),
    cpuRatioRange: [Math.min(...ratios), Math.max(...ratios)],
    cpuRatioWithEmbeddedDatabase: median(ratiosOf(({ processSeconds }) => processSeconds)),
    cpuPercentOfACore: (of('engine', ({ threadSeconds }) => threadSeconds) / seconds) * 100,
    rawCpuPercentOfACore: (of('raw', ({ threadSeconds }) => threadSeconds) / seconds) * 100,
    p50Ms: of('engine', ({ p50Ms }) => p50Ms),
    p99Ms: of('engine', ({ p99Ms }) => p99Ms),
    rawP50Ms: of('raw', ({ p50Ms }) => p50Ms),
    rawP99Ms: of('raw', ({ p99Ms }) => p99Ms),
    delivered: of('engine', ({ delivered }) => delivered),
    expected: sessions * deltasPerSecond * seconds,
  }),
);
