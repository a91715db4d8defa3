import { parseArgs } from 'node:util';
import { loadTwoNodes } from '../support/two-nodes.ts';

/*
 * Two engines on one PostgreSQL, each with one class after another. All must be answered, none with another
 * one's words; a bystander's appends stay short; memory stops growing (at the end at most half as much again as
 * after the warm-up), and no projection is behind once the load is over.
 */

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    students: { type: 'string', default: '40' },
    json: { type: 'boolean', default: false },
  },
});
const warmUpClasses = 3;
const endAt = performance.now() + Number(values.minutes) * 60_000;
const report = await loadTwoNodes({
  students: Number(values.students),
  more: (classes) => classes <= warmUpClasses || performance.now() < endAt,
});
const { asked, answered, crossed, appendP99Ms, firstWordsP99Ms, caughtUpMs, memoryMiB } = report;
const warmMiB = Math.max(...memoryMiB.slice(0, warmUpClasses));
const endMiB = memoryMiB.at(-1) ?? Number.NaN;
const held = answered === asked && crossed === 0 && endMiB <= warmMiB * 1.5 && appendP99Ms < 500 && caughtUpMs < 5_000;
console.log(held ? 'it held' : 'IT DID NOT HOLD');
const figures = { held, classes: report.classes, asked, answered, crossed, appendP99Ms, firstWordsP99Ms, caughtUpMs, warmMiB, endMiB };
console.log(values.json ? JSON.stringify(figures) : figures);
process.exitCode = held ? 0 : 1;
