import { parseArgs } from 'node:util';
import { createIllustrated } from '../packages/engine/src/adapters/canvas-illustrated.ts';
import { createVideoEncoder } from '../packages/engine/src/adapters/node-av-video.ts';
import { IdleLoops } from '../packages/engine/src/avatar/idle-loop.ts';
import { mouthAt } from '../packages/engine/src/avatar/mouth.ts';
import { framesPerSecond, type VideoCodec } from '../packages/engine/src/media/ports.ts';
import { babble } from './media/babble.ts';

/*
 * What one second of a drawn tutor costs: drawing and encoding a speaking frame (512x512, random visemes of 50 to 180 ms,
 * at most 500 kbit/s), and the idle loop, which is encoded once. Limits: a speaking frame 4 ms of one core.
 */

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, frames: { type: 'string', default: '500' } } });
const frames = Number(values.frames);

function quantile(times: readonly number[], share: number): number {
  return Number((times.toSorted((a, b) => a - b)[Math.floor((times.length - 1) * share)] ?? 0).toFixed(2));
}

function kbps(bytes: number, count: number): number {
  return Math.round((bytes * 8 * framesPerSecond) / count / 1000);
}

async function measure(character: 'ada' | 'xiaolan', codec: VideoCodec) {
  const renderer = createIllustrated(character);
  const startedMs = performance.now();
  const loop = new IdleLoops(createVideoEncoder).of(renderer, codec);
  await loop.frame(0);
  const firstFrameMs = performance.now() - startedMs;
  let idleBytes = 0;
  for (let i = 0; i < renderer.idleFrames; i += 1) idleBytes += (await loop.frame(i)).data.length;
  const loopMs = performance.now() - startedMs;

  using encoder = createVideoEncoder({ codec, width: renderer.width, height: renderer.height, bps: 500_000, effort: 'live' });
  const timeline = babble(frames * 40);
  const drawMs: number[] = [];
  const encodeMs: number[] = [];
  let bytes = 0;
  const before = process.cpuUsage();
  for (let i = 0; i < frames; i += 1) {
    const atMs = performance.now();
    const picture = renderer.render(i, mouthAt(timeline, i * 40));
    const drawnMs = performance.now();
    bytes += (await encoder.encode(picture, { key: i === 0 })).data.length;
    drawMs.push(drawnMs - atMs);
    encodeMs.push(performance.now() - drawnMs);
  }
  const { user, system } = process.cpuUsage(before);
  return {
    character,
    codec,
    drawMs: { p50: quantile(drawMs, 0.5), p95: quantile(drawMs, 0.95) },
    encodeMs: { p50: quantile(encodeMs, 0.5), p95: quantile(encodeMs, 0.95) },
    cpuMsPerFrame: Number(((user + system) / 1000 / frames).toFixed(2)),
    speakingKbps: kbps(bytes, frames),
    idle: { firstFrameMs: Math.round(firstFrameMs), loopMs: Math.round(loopMs), kbps: kbps(idleBytes, renderer.idleFrames) },
  };
}

const results = [];
for (const character of ['ada', 'xiaolan'] as const) {
  for (const codec of ['VP8', 'H264'] as const) results.push(await measure(character, codec));
}
console.table(
  results.map(({ drawMs, encodeMs, idle, ...rest }) => ({ ...rest, drawMs: drawMs.p50, encodeMs: encodeMs.p50, idleKbps: idle.kbps })),
);
if (values.json) console.log(JSON.stringify({ frames, results }));
if (results.some(({ cpuMsPerFrame }) => cpuMsPerFrame > 4)) process.exitCode = 1;
