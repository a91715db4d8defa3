import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { comeAndGo, heldBy, type Memory, memoryOf, slopeOf, untilEmpty } from '../support/media-churn.ts';
import { launchStudentsBrowser, startMediaRig } from '../support/media-rig.ts';

/*
 * A student comes every 5 s, hears a sentence and leaves. An engine worker must end as it was after the warm-up: no
 * port, file or session more, and what it holds in memory must not grow by more than 1 MiB an hour (a line through the second half,
 * measured after a collection every half minute). Its resident memory comes and goes with the allocators by tens of MiB: the
 * lowest of the last third must not lie above the lowest of the third before by more than that noise.
 */

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, json: { type: 'boolean', default: false } },
});
const everyMs = 5_000;
const studentsPerLook = 6;
const mostMiBAnHour = 1;
const residentNoiseMiB = 16;

await using rig = await startMediaRig();
const browser = await launchStudentsBrowser();
try {
  const students = Math.round((Number(values.minutes) * 60_000) / everyMs);
  const memory: Memory[] = [];
  const files: number[] = [];
  let failed = 0;
  for (let nth = 0; nth < students; nth += 1) {
    const next = performance.now() + everyMs;
    await comeAndGo(rig, { browser, nth }).catch((error: unknown) => {
      failed += 1;
      console.log(`student ${nth}: ${error instanceof Error ? error.message : 'failed'}`);
    });
    files.push(heldBy(rig).files);
    if (nth % studentsPerLook === studentsPerLook - 1) {
      memory.push(await memoryOf(rig));
      console.log(`${nth + 1} students: ${JSON.stringify(memory.at(-1))}`);
    }
    await wait(Math.max(0, next - performance.now()));
  }
  await untilEmpty(rig);
  const end = heldBy(rig);
  const third = Math.floor(memory.length / 3);
  const lowest = (from: number) => Math.min(...memory.slice(from, from + third).map(({ resident }) => resident));
  const resident = { before: Math.round(lowest(third)), after: Math.round(lowest(2 * third)) };
  const filesBefore = Math.min(...files.slice(files.length >> 1));
  const growth = slopeOf(memory.slice(memory.length >> 1), 'live');
  const grows = growth > mostMiBAnHour || resident.after > resident.before + residentNoiseMiB;
  const kept = end.sessions === 0 && end.files <= filesBefore + 2 && !grows && failed === 0;
  console.log(kept ? 'it held' : 'IT DID NOT HOLD');
  const figures = {
    kept,
    students,
    failed,
    liveMiB: memory.at(-1)?.live,
    growthMiBAnHour: growth,
    residentMiB: resident,
    files: [filesBefore, end.files],
  };
  if (values.json) console.log(JSON.stringify(figures));
  process.exitCode = kept ? 0 : 1;
} finally {
  await browser.close();
}
