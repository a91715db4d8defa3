import { parseArgs } from 'node:util';
import { mouthAt } from '../packages/engine/src/avatar/mouth.ts';
import { createWarpRenderer } from '../packages/engine/src/avatar/warp/warp-renderer.ts';
import { drawnFace, swaying } from '../test/support/drawn-face.ts';
import { babble } from './media/babble.ts';

/*
 * What it costs to make a filmed tutor speak: one 512x512 frame, mouth and jaw moved (random visemes of 50 to 180 ms), on
 * one core; wall clock, and the process's own CPU time, which a busy machine does not lengthen. Beside it the physical limit,
 * a copy of the frame. Limit: 8 ms of CPU.
 */

const { values } = parseArgs({ options: { frames: { type: 'string', default: '500' } } });
const frames = Number(values.frames);
const size = 512;
const warmUp = 50;

function quantile(times: readonly number[], share: number): number {
  return Number((times.toSorted((a, b) => a - b)[Math.floor((times.length - 1) * share)] ?? 0).toFixed(3));
}

const face = drawnFace(size, swaying(25));
const openedMs = performance.now();
const tutor = createWarpRenderer(face);
const openMs = performance.now() - openedMs;
const timeline = babble(frames * 40);
const copy = new Uint8Array((size * size * 3) / 2);
const warpMs: number[] = [];
const copyMs: number[] = [];
let regionPx = 0;
let cpuUs = 0;
for (let i = 0; i < warmUp + frames; i += 1) {
  const mouth = mouthAt(timeline, (i % frames) * 40);
  const filmed = face.frames[i % face.frames.length] ?? copy;
  const atMs = performance.now();
  const before = process.cpuUsage();
  const picture = tutor.render(i, mouth);
  const { user, system } = process.cpuUsage(before);
  const warpedMs = performance.now();
  copy.set(filmed);
  const copiedMs = performance.now();
  // At rest nothing is drawn.
  if (i < warmUp || picture === filmed) continue;
  cpuUs += user + system;
  warpMs.push(warpedMs - atMs);
  copyMs.push(copiedMs - warpedMs);
  if (i % 25 === 0)
    regionPx = Math.max(
      regionPx,
      picture.subarray(0, size * size).reduce((sum, luma, k) => sum + (luma === filmed[k] ? 0 : 1), 0),
    );
}
const msPerFrame = quantile(warpMs, 0.5);
const p95 = quantile(warpMs, 0.95);
const cpuMsPerFrame = Number((cpuUs / 1000 / warpMs.length).toFixed(2));
const copyP50 = quantile(copyMs, 0.5);
console.log(
  JSON.stringify({
    bench: 'warp',
    msPerFrame,
    p95,
    cpuMsPerFrame,
    regionPx,
    copyMs: copyP50,
    ratio: Math.round(msPerFrame / Math.max(0.001, copyP50)),
    openMs: Math.round(openMs),
    memory: { framesMB: Number(((face.frames.length * copy.length) / 1e6).toFixed(1)), rendererMB: Number((copy.length / 1e6).toFixed(2)) },
  }),
);
if (cpuMsPerFrame > 8) process.exitCode = 1;
