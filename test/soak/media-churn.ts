import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { comeAndGo, type Held, heldBy, slopeOf, untilEmpty } from '../support/media-churn.ts';
import { launchStudentsBrowser, startMediaRig } from '../support/media-rig.ts';

/*
 * A student comes every 5 s, hears a sentence and leaves. An engine worker must end as it was after the warm-up: no
 * port, file or session more, and its memory must not grow by more than 1 MiB an hour (a line through the second half).
 */

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, json: { type: 'boolean', default: false } },
});
const everyMs = 5_000;
const mostMiBAnHour = 1;

await using rig = await startMediaRig();
const browser = await launchStudentsBrowser();
try {
  const students = Math.round((Number(values.minutes) * 60_000) / everyMs);
  const held: Held[] = [];
  let failed = 0;
  for (let nth = 0; nth < students; nth += 1) {
    const next = performance.now() + everyMs;
    await comeAndGo(rig, { browser, nth }).catch((error: unknown) => {
      failed += 1;
      console.log(`student ${nth}: ${error instanceof Error ? error.message : 'failed'}`);
    });
    held.push(heldBy(rig));
    if (nth % 24 === 23) console.log(`${nth + 1} students: ${JSON.stringify(held.at(-1))}`);
    await wait(Math.max(0, next - performance.now()));
  }
  await untilEmpty(rig);
  const end = heldBy(rig);
  const half = held.slice(held.length >> 1);
  const filesBefore = Math.min(...half.map(({ files }) => files));
  const growth = slopeOf(half);
  const kept = end.sessions === 0 && end.files <= filesBefore + 2 && growth <= mostMiBAnHour && failed === 0;
  console.log(kept ? 'it held' : 'IT DID NOT HOLD');
  const figures = { kept, students, failed, growthMiBAnHour: growth, memoryMiB: end.memoryMiB, files: [filesBefore, end.files] };
  if (values.json) console.log(JSON.stringify(figures));
  process.exitCode = kept ? 0 : 1;
} finally {
  await browser.close();
}
