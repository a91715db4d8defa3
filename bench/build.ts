import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openAvatar } from '../packages/engine/src/avatar/artifact/open-avatar.ts';
import type { BuildFact } from '../packages/engine/src/avatar/build/main.ts';
import { film, writeFilm } from '../test/support/filmed-clip.ts';
import { cpuSecondsOf } from '../test/support/process-load.ts';

/*
 * What it costs to make a face of a clip: the program that builds avatars, as the engine starts it (a process of its own, nice 19), on a
 * film of a person who sits still and blinks. Wall clock, and the process's own CPU time, which a busy machine does not lengthen; ms per
 * picture of the clip. Then what it costs to load the face into a process that must not stand still. Limit: 3 times the clip's length.
 */

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    width: { type: 'string', default: '1280' },
    height: { type: 'string', default: '720' },
  },
});
const frames = Number(values.seconds) * 25;
const [width, height] = [Number(values.width), Number(values.height)];
const clipMs = frames * 40;
const program = fileURLToPath(new URL('../packages/engine/src/avatar/build/main.ts', import.meta.url));

/** The most memory so far of a process that runs, MB. */
function peakOf(pid: number): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);
}

async function filmed(folder: string): Promise<void> {
  // Two seconds, to and fro.
  const pictures = await film({
    frames: 50,
    width,
    height,
    eyesPx: Math.round(height / 7),
    blink: (frame) => (frame > 40 && frame < 46 ? 1 : 0),
  });
  const path = join(folder, 'clip.mp4');
  await writeFilm(
    path,
    Array.from({ length: frames }, (_, i) => 49 - Math.abs(49 - (i % 98))).flatMap((i) => pictures[i] ?? []),
    25,
  );
  await rename(path, join(folder, 'source'));
}

async function build(folder: string) {
  const child = fork(program, [], { stdio: 'ignore', execArgv: ['--max-old-space-size=512'] });
  const startedMs = performance.now();
  const stages: Record<string, { startMs: number; endMs: number }> = {};
  let usage = { cpuMs: 0, peakMB: 0 };
  const said: BuildFact[] = [];
  child.on('message', (fact: BuildFact) => {
    const atMs = performance.now() - startedMs;
    if (child.pid !== undefined) usage = { cpuMs: cpuSecondsOf(child.pid) * 1000, peakMB: peakOf(child.pid) };
    if (fact.type !== 'progress') said.push(fact);
    else stages[fact.stage] = { startMs: stages[fact.stage]?.startMs ?? atMs, endMs: atMs };
  });
  child.send({ type: 'build', folder, limits: { maxDurationMs: 60_000, maxPixels: 4096 * 2304 } });
  await once(child, 'exit');
  return { totalMs: performance.now() - startedMs, stages, usage, last: said.at(-1) };
}

/** CPU of this thread from one turn of the event loop to the next, ms: how long others are kept waiting, whatever else the machine does. */
async function turnsDuring(work: () => Promise<unknown>): Promise<readonly number[]> {
  const turns: number[] = [];
  let busy = true;
  let last = process.threadCpuUsage();
  const turn = () => {
    const now = process.threadCpuUsage();
    turns.push((now.user + now.system - last.user - last.system) / 1000);
    last = now;
    if (busy) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  busy = false;
  await new Promise((resolve) => setImmediate(resolve));
  return turns.toSorted((a, b) => b - a);
}

async function load(folder: string) {
  // The first is compiled while it runs.
  await openAvatar(folder);
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const { manifest, idle } = await openAvatar(folder);
  const ms = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  const turns = await turnsDuring(() => openAvatar(folder));
  const frameBytes = (manifest.width * manifest.height * 3) / 2;
  return {
    ms: Math.round(ms),
    cpuMs: Math.round((user + system) / 1000),
    longestTurnsMs: turns.slice(0, 2).map((turnMs) => Number(turnMs.toFixed(1))),
    frames: manifest.frames,
    loop: manifest.order.length,
    memoryMB: Number(((manifest.frames * frameBytes + idle.reduce((sum, { data }) => sum + data.length, 0)) / 1e6).toFixed(1)),
  };
}

const folder = await mkdtemp(join(tmpdir(), 'bench-build-'));
try {
  await filmed(folder);
  const { totalMs, stages, usage, last } = await build(folder);
  const ready = last?.type === 'outcome' && last.outcome.status === 'ready';
  if (!ready) throw new Error(`it was not built: ${JSON.stringify(last)}`);
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  const ratio = totalMs / clipMs;
  console.log(
    JSON.stringify({
      bench: 'build',
      msPerFrame: Number((totalMs / frames).toFixed(1)),
      cpuMsPerFrame: Number((usage.cpuMs / frames).toFixed(1)),
      clip: { ms: clipMs, width, height },
      totalMs: Math.round(totalMs),
      ratio: Number(ratio.toFixed(2)),
      cpuRatio: Number((usage.cpuMs / clipMs).toFixed(2)),
      stagesMs: Object.fromEntries(Object.entries(stages).map(([stage, { startMs, endMs }]) => [stage, Math.round(endMs - startMs)])),
      peakMB: usage.peakMB,
      diskMB: Number((sizes.reduce((sum, size) => sum + size, 0) / 1e6).toFixed(2)),
      load: await load(folder),
    }),
  );
  if (ratio > 3) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
