import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { installPrograms } from './install-programs.ts';
import { root, runChecks, type StepResult } from './steps.ts';

/*
 * `npm test [-- FILTER...]`: the checks and every suite; with filters, only the suites whose path
 * contains one. The longest suites run only when asked for: by a filter, or with `LONG=1`. The last line
 * is the sum: `N passed, N failed`.
 */

const temp = join(root, 'temp');
const reportFile = join(temp, 'vitest.json');
/** Suites that could not run say why in this file, a line each. */
const notRunFile = join(temp, 'not-run.txt');
/** Whoever waits longer waits for nothing. */
const limitMs = 40 * 60_000;

const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(
    z.object({ name: z.string(), status: z.string(), startTime: z.number(), endTime: z.number(), assertionResults: z.array(z.unknown()) }),
  ),
});
type Report = z.infer<typeof Report>;

async function runVitest(filters: readonly string[]): Promise<{ readonly code: number | null; readonly report: Report | null }> {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`, ...filters];
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: limitMs,
    env: { ...process.env, NOT_RUN_FILE: notRunFile, ...(filters.length > 0 ? { LONG: '1' } : {}) },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { code, report: existsSync(reportFile) ? Report.parse(JSON.parse(readFileSync(reportFile, 'utf8'))) : null };
}

function printSlowest({ testResults }: Report): void {
  const files = testResults.map(({ name, startTime, endTime }) => ({
    name: name.slice(root.length + 1),
    seconds: (endTime - startTime) / 1000,
  }));
  console.log('\nslowest files:');
  for (const { name, seconds } of files.sort((a, b) => b.seconds - a.seconds).slice(0, 10))
    console.log(`  ${seconds.toFixed(1).padStart(6)} s  ${name}`);
}

function printNotRun(): void {
  if (filters.length === 0 && process.env['LONG'] !== '1')
    console.log('\nleft out: the longest suites, which `LONG=1 npm test` runs as well');
  if (!existsSync(notRunFile)) return;
  console.log('\nNOT RUN, because something is missing on this machine:');
  for (const line of new Set(readFileSync(notRunFile, 'utf8').trim().split('\n'))) console.log(`  ${line}`);
}

interface Sum {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A check counts as a test; so does a file that does not load, and a run that ends badly for no reason it gives. */
function sumOf(checks: readonly StepResult[], { code, report }: Awaited<ReturnType<typeof runVitest>>): Sum {
  const brokenFiles = report?.testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0);
  const passed = checks.filter((check) => check.passed).length + (report?.numPassedTests ?? 0);
  const failed = checks.filter((check) => !check.passed).length + (report?.numFailedTests ?? 0) + (brokenFiles?.length ?? 0);
  const badForNoReason = failed === 0 && (code !== 0 || report === null || report.numPassedTests === 0);
  return {
    passed,
    failed: badForNoReason ? 1 : failed,
    skipped: (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0),
  };
}

const startedAt = performance.now();
mkdirSync(temp, { recursive: true });
for (const file of [reportFile, notRunFile]) rmSync(file, { force: true });
const filters = process.argv.slice(2);
installPrograms();
const checks = filters.length > 0 ? [] : await runChecks();
const suites = await runVitest(filters);
if (suites.report !== null) printSlowest(suites.report);
printNotRun();
const { passed, failed, skipped } = sumOf(checks, suites);
for (const { name } of checks.filter((check) => !check.passed)) console.log(`\nFAIL ${name}: its output is above`);
console.log(`\n${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed === 0 ? 0 : 1);
