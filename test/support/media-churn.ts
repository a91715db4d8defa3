import { setTimeout as wait } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { type MediaRig, newTurn, openRigLesson } from './media-rig.ts';
import { memoryOf, openFilesOf } from './process-load.ts';

/** What an engine worker holds. */
export interface Held {
  readonly atMs: number;
  readonly memoryMiB: number;
  readonly files: number;
  readonly sessions: number;
}

export function heldBy({ workers }: MediaRig): Held {
  const [pid] = workers.pids;
  if (pid === undefined) throw new Error('no worker runs');
  return { atMs: performance.now(), memoryMiB: memoryOf(pid), files: openFilesOf(pid), sessions: workers.load().sessions };
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
export function slopeOf(held: readonly Held[]): number {
  const mean = (all: readonly number[]) => all.reduce((sum, value) => sum + value, 0) / all.length;
  const [meanMs, meanMiB] = [mean(held.map(({ atMs }) => atMs)), mean(held.map(({ memoryMiB }) => memoryMiB))];
  const top = held.reduce((sum, { atMs, memoryMiB }) => sum + (atMs - meanMs) * (memoryMiB - meanMiB), 0);
  const bottom = held.reduce((sum, { atMs }) => sum + (atMs - meanMs) ** 2, 0);
  return bottom === 0 ? 0 : (top / bottom) * 3_600_000;
}

/** Nobody is there any more, and what they had has been given back. */
export async function untilEmpty(rig: MediaRig): Promise<void> {
  for (let looks = 0; looks < 100 && rig.workers.load().sessions > 0; looks += 1) await wait(100);
  await wait(1_000);
}
