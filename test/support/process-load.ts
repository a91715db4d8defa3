import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

const ticksPerSecond = 100;

/** CPU that a process and its threads have used, seconds: `utime` and `stime` of proc(5). */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

export function openFilesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** What is made once per process, as the idle loop is, has been made. */
export async function untilQuiet(pid: number): Promise<void> {
  for (let looks = 0; looks < 180; looks += 1) {
    const before = cpuSecondsOf(pid);
    await wait(500);
    if (cpuSecondsOf(pid) - before < 0.04) return;
  }
  throw new Error('the process never came to rest');
}
