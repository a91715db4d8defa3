import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openMuseTalkGraphs } from '../packages/engine/src/adapters/musetalk-graphs.ts';
import { FrameBatcher } from '../packages/engine/src/avatar/musetalk/batcher.ts';
import { openMuseTalk } from '../packages/engine/src/avatar/musetalk/models.ts';
import { audioPrompt } from '../packages/engine/src/avatar/musetalk/windows.ts';
import { writeTinyMuseTalk } from '../test/support/tiny-musetalk.ts';

/*
 * What batching gains, with MuseTalk's real code on small graphs of the same signatures (the weights are not ours to ship): frames a second in
 * batches of 1, 4, 8 and 16, and sessions that each want a frame every 40 ms, 200 ms ahead: how many come too late for one session, and for
 * eight. `MUSETALK_BASE` measures the real models instead.
 */

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' }, rounds: { type: 'string', default: '15' } } });
const sizes = [1, 4, 8, 16] as const;
const frameMs = 40;
const aheadMs = 200;
const nowMs = () => performance.now();

const own = await mkdtemp(join(tmpdir(), 'bench-musetalk-'));
try {
  writeTinyMuseTalk(own);
  const folder = process.env['MUSETALK_BASE'] ?? own;
  await using musetalk = await openMuseTalk({ folder, open: openMuseTalkGraphs, nowMs });
  const face = { width: 256, height: 256, channels: 3, data: Uint8Array.from({ length: 256 * 256 * 3 }, (_, i) => (i * 7) % 256) } as const;
  const latents = await musetalk.encode(face);
  const states = await musetalk.hear(Float32Array.from({ length: 16_000 }, (_, i) => 0.4 * Math.sin(i * 0.2)));
  const input = (frame: number) => ({ latents, audio: audioPrompt(states, { frame: frame % 25, offsetMs: musetalk.windowOffsetMs }) });
  type Input = ReturnType<typeof input>;
  type Output = Awaited<ReturnType<typeof musetalk.draw>>[number];

  const median = async (size: number) => {
    const inputs = Array.from({ length: size }, (_, nth) => input(nth));
    await musetalk.draw(inputs);
    const times: number[] = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      const startedMs = nowMs();
      await musetalk.draw(inputs);
      times.push(nowMs() - startedMs);
    }
    return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  };
  const framesPerSecond: Record<string, number> = {};
  const costs: number[] = [];
  for (const size of sizes) {
    const ms = await median(size);
    costs.push(ms);
    framesPerSecond[size] = Number(((size * 1000) / ms).toFixed(1));
  }
  const perFrameMs = Math.max(0, ((costs.at(-1) ?? 0) - (costs[0] ?? 0)) / 15);
  const cost = { baseMs: Math.max(0, (costs[0] ?? 0) - perFrameMs), perFrameMs };

  /** Every session asks once a frame, and a batch is made once a frame, as in an engine worker. */
  const together = async (sessions: number) => {
    const batcher = new FrameBatcher<Input, Output>({ infer: (inputs) => musetalk.draw(inputs), cost, nowMs });
    const counts = { drawn: 0, late: 0, failed: 0 };
    const wanted: Promise<void>[] = [];
    const ticks = (Number(values.seconds) * 1000) / frameMs;
    const startedMs = nowMs();
    for (let frame = 0; frame < ticks; frame += 1) {
      for (let nth = 0; nth < sessions; nth += 1) {
        const asked = batcher.want({ sessionId: `s${nth}`, frame, deadlineMs: nowMs() + aheadMs, input: input(frame) });
        wanted.push(
          asked.then(({ status }) => {
            counts[status] += 1;
          }),
        );
      }
      void batcher.tick();
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, startedMs + (frame + 1) * frameMs - nowMs())));
    }
    for (let nth = 0; nth < sessions; nth += 1) batcher.leave(`s${nth}`);
    await Promise.all(wanted);
    const all = counts.drawn + counts.late + counts.failed;
    // What was still waiting at the end was not late.
    return { frames: all, lateShare: Number((Math.max(0, counts.late - sessions * 5) / all).toFixed(4)), failed: counts.failed };
  };
  const [one, eight] = [await together(1), await together(8)];
  const batchGain = Number(((framesPerSecond[8] ?? 0) / (framesPerSecond[1] ?? 1)).toFixed(2));
  console.log(
    JSON.stringify({
      bench: 'musetalk',
      device: musetalk.device.name,
      real: folder !== own,
      framesPerSecond,
      batchGain,
      sessions: { one, eight },
    }),
  );
} finally {
  await rm(own, { recursive: true, force: true });
}
