import { setTimeout as wait } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { z } from 'zod';
import { evaluateInside } from './inside.ts';
import { type MediaRig, newTurn, openRigLesson } from './media-rig.ts';
import { openFilesOf } from './process-load.ts';

/** What an engine worker holds. */
export interface Held {
  readonly files: number;
  readonly sessions: number;
}

export function heldBy({ workers }: MediaRig): Held {
  const [pid] = workers.pids;
  if (pid === undefined) throw new Error('no worker runs');
  return { files: openFilesOf(pid), sessions: workers.load().sessions };
}

/** Memory of an engine worker, MiB, once everything that nobody holds any more has been collected. */
export interface Memory {
  readonly atMs: number;
  /** JavaScript objects and the buffers they hold. */
  readonly live: number;
  /** Of the machine, with what the allocators keep for later. */
  readonly resident: number;
}

const Usage = z.object({ live: z.number(), resident: z.number() });
const collected = `(() => {
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
  const collect = process.getBuiltinModule('node:vm').runInNewContext('gc');
  for (let round = 0; round < 2; round += 1) collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { live: (heapUsed + external) / 2 ** 20, resident: rss / 2 ** 20 };
})()`;

export async function memoryOf({ workers }: MediaRig): Promise<Memory> {
  const [pid] = workers.pids;
  if (pid === undefined) throw new Error('no worker runs');
  return { atMs: performance.now(), ...Usage.parse(await evaluateInside(pid, collected)) };
}

/** A student comes, hears a sentence, and leaves: every other one without a word, as a closed tab does. */
export async function comeAndGo(rig: MediaRig, { browser, nth }: { readonly browser: Browser; readonly nth: number }): Promise<void> {
  const lesson = await openRigLesson(rig, { browser });
  const from = rig.facts.length;
  lesson.say(newTurn(), 0, 'Plants turn light into sugar.');
  await lesson.fact('firstFrame', from);
  if (nth % 2 === 1) await lesson.student.media.page.close();
  await lesson[Symbol.asyncDispose]();
}

/** Growth of a line through these, MiB an hour (least squares). */
export function slopeOf(memory: readonly Memory[], of: 'live' | 'resident'): number {
  const mean = (all: readonly number[]) => all.reduce((sum, value) => sum + value, 0) / all.length;
  const [meanMs, meanMiB] = [mean(memory.map(({ atMs }) => atMs)), mean(memory.map((one) => one[of]))];
  const top = memory.reduce((sum, one) => sum + (one.atMs - meanMs) * (one[of] - meanMiB), 0);
  const bottom = memory.reduce((sum, { atMs }) => sum + (atMs - meanMs) ** 2, 0);
  return bottom === 0 ? 0 : (top / bottom) * 3_600_000;
}

/** Nobody is there any more, and what they had has been given back. */
export async function untilEmpty(rig: MediaRig): Promise<void> {
  for (let looks = 0; looks < 100 && rig.workers.load().sessions > 0; looks += 1) await wait(100);
  await wait(1_000);
}
