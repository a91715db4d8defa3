import { openMuseTalkGraphs } from '../../adapters/musetalk-graphs.ts';
import { playoutRate } from '../../media/ports.ts';
import { resample } from '../../media/resample.ts';
import { readFrames, readManifest } from '../artifact/open-avatar.ts';
import { FrameBatcher } from './batcher.ts';
import { type DressedFrame, dressFrames } from './dress.ts';
import { madeOf, writeDress } from './dress-file.ts';
import { hertz } from './mel.ts';
import { type MuseTalk, openMuseTalk } from './models.ts';
import { patchOf } from './mouth-patch.ts';
import type { MuseTalkOrder, MuseTalkReport, PatchOutcome, PatchRequest } from './process-messages.ts';
import { MuseTalkUnavailable } from './unavailable.ts';
import { type HiddenStates, joinedStates } from './windows.ts';

/*
 * The program that runs MuseTalk's models: a child of an engine worker, so that neither an inference nor a fault of a graphics card's driver holds
 * up or ends a voice. It ends with the worker.
 */

const nowMs = () => performance.now();
/** What was asked for meanwhile is made together, ms. */
const tickMs = 20;
/** What Whisper hears at once, samples. */
const mostSamples = 30 * hertz;

function report(message: MuseTalkReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
    else resolve();
  });
}

const open = (folder: string) => openMuseTalk({ folder, open: openMuseTalkGraphs, nowMs });

/** Answers orders until the worker goes. */
async function live(folder: string): Promise<void> {
  const musetalk = await open(folder);
  const { device, live: speed, windowOffsetMs, models } = musetalk;
  if (!speed.live) {
    const reason = `MuseTalk is too slow on ${device.name} (${speed.reason}; ${device.reason}): use a graphics card, or unset MUSETALK_BASE`;
    await report({ type: 'unavailable', code: 'too_slow', reason });
    return;
  }
  const batcher = new FrameBatcher<PatchRequest, Uint8Array>({
    async infer(requests) {
      const faces = await musetalk.draw(requests.map(({ input }) => input));
      return faces.flatMap((face, nth) => {
        const place = requests[nth]?.place;
        return place === undefined ? [] : [patchOf(face, place)];
      });
    },
    cost: speed.cost,
    nowMs,
  });
  const draw = async (request: PatchRequest): Promise<PatchOutcome> => {
    const { viewer: sessionId, frame, inMs } = request;
    const outcome = await batcher.want({ sessionId, frame, deadlineMs: nowMs() + inMs, input: request });
    return outcome.status === 'drawn' ? { status: 'drawn', planes: outcome.output } : { status: outcome.status };
  };
  process.on('message', (order: MuseTalkOrder) => {
    if (order.type === 'hear') {
      void heard(musetalk, order.samples).then((states) => report({ type: 'heard', id: order.id, states }));
    } else if (order.type === 'draw') {
      void draw(order).then((outcome) => report({ type: 'drawn', id: order.id, outcome }));
    } else if (order.type === 'leave') batcher.leave(order.viewer);
  });
  setInterval(() => void batcher.tick(), tickMs);
  await report({ type: 'loaded', device, framesPerSecond: speed.framesPerSecond, windowOffsetMs, models });
  await new Promise(() => undefined);
}

/** Null: it could not be heard; its sentence is spoken with a mouth at rest. */
async function heard(musetalk: MuseTalk, speech: Int16Array): Promise<HiddenStates | null> {
  try {
    const samples = resample(speech, playoutRate, hertz);
    const parts: HiddenStates[] = [];
    for (let at = 0; at < samples.length; at += mostSamples) parts.push(await musetalk.hear(samples.subarray(at, at + mostSamples)));
    return joinedStates(parts);
  } catch {
    return null;
  }
}

async function dress(folder: string, avatarFolder: string): Promise<void> {
  const manifest = await readManifest(avatarFolder);
  const film = await readFrames(avatarFolder, manifest);
  await using musetalk = await open(folder);
  const frames: (DressedFrame | null)[] = [];
  for await (const frame of dressFrames(musetalk, { ...film, size: manifest.width })) frames.push(frame);
  await writeDress(avatarFolder, { made: madeOf(manifest, musetalk.models), frames });
  await report({ type: 'dressed' });
}

process.on('disconnect', () => process.exit(0));
process.once('message', async (order: MuseTalkOrder) => {
  try {
    if (order.type === 'live') await live(order.folder);
    if (order.type === 'dress') await dress(order.folder, order.avatarFolder);
    process.exit(0);
  } catch (error) {
    // Its message names files of the operator's and what to do; other faults are told by the exit alone.
    if (error instanceof MuseTalkUnavailable) await report({ type: 'unavailable', code: error.code, reason: error.message });
    process.exit(1);
  }
});
