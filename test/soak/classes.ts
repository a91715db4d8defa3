import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createTutorClient } from '@virtual-tutor/sdk';
import { holdClass } from '../support/class.ts';
import { startEngine } from '../support/engine.ts';

/*
 * One class after another on one engine, each student in a new lesson. All must be answered, none with
 * another one's words, and the engine's memory must stop growing: at the end it may hold at most half
 * as much again as after the warm-up.
 */

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    students: { type: 'string', default: '50' },
    json: { type: 'boolean', default: false },
  },
});
const students = Number(values.students);
const turns = 3;
const warmUpClasses = 3;

/** Resident, MiB. */
function memoryOf(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024);
}

await using engine = await startEngine({ LOG_LEVEL: 'warn', RATE_PER_KEY: '1000000', RATE_PER_ADDRESS: '1000000' });
const client = createTutorClient({ url: engine.url, apiKey: engine.apiKey });
const endAt = performance.now() + Number(values.minutes) * 60_000;
const memory: number[] = [];
let [asked, answered, crossed] = [0, 0, 0];
while (memory.length <= warmUpClasses || performance.now() < endAt) {
  const report = await holdClass({ url: engine.url, apiKey: engine.apiKey, students, turns });
  for await (const { id } of client.sessions.list({ status: 'active' })) await client.sessions.end(id);
  asked += students * turns;
  answered += report.answered;
  crossed += report.crossed;
  memory.push(memoryOf(engine.pid()));
  console.log(`class ${memory.length}: ${report.answered} of ${students * turns} answered, engine at ${memory.at(-1)} MiB`);
}
const warmMiB = Math.max(...memory.slice(0, warmUpClasses));
const endMiB = memory.at(-1) ?? Number.NaN;
const held = answered === asked && crossed === 0 && endMiB <= warmMiB * 1.5;
console.log(held ? 'it held' : 'IT DID NOT HOLD');
if (values.json) console.log(JSON.stringify({ held, classes: memory.length, asked, answered, crossed, warmMiB, endMiB }));
process.exitCode = held ? 0 : 1;
