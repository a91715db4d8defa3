import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { root, runChecks } from './steps.ts';

const debianPackages = { '/usr/bin/chromium': ['chromium', 'fonts-noto-cjk'], '/usr/lib/postgresql': ['postgresql'] };
const temp = join(root, 'temp');
const reportFile = join(temp, 'vitest.json');
/** Suites that could not run say why in this file, a line each. */
const missingFile = join(temp, 'not-run.txt');

const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  testResults: z.array(
    z.object({ name: z.string(), status: z.string(), startTime: z.number(), endTime: z.number(), assertionResults: z.array(z.unknown()) }),
  ),
});

/** As root on Debian, installs what the tests drive; elsewhere they use what is there. */
function installPrograms(): void {
  const wanted = Object.entries(debianPackages).flatMap(([path, packages]) => (existsSync(path) ? [] : packages));
  if (wanted.length === 0 || !existsSync('/usr/bin/apt-get') || userInfo().uid !== 0) return;
  console.log(`Installing ${wanted.join(', ')}...`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: readonly string[]) => spawnSync('apt-get', args, { env, encoding: 'utf8' }).status === 0;
  const install = () => apt('update') && apt('install', '-y', '--no-install-recommends', ...wanted);
  if (!install() && !install()) console.log(`could not install ${wanted.join(', ')}: the tests that need them are named at the end`);
}

async function runVitest(filters: readonly string[]): Promise<number | null> {
  const vitest = join(root, 'node_modules', '.bin', 'vitest');
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`, ...filters];
  const child = spawn(vitest, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, NOT_RUN_FILE: missingFile },
  });
  return new Promise((resolve) => child.once('exit', resolve));
}

const startedAt = performance.now();
mkdirSync(temp, { recursive: true });
for (const file of [reportFile, missingFile]) rmSync(file, { force: true });
const filters = process.argv.slice(2);
installPrograms();
const results = filters.length > 0 ? [] : await runChecks();
const exitCode = await runVitest(filters);
const report = existsSync(reportFile) ? Report.parse(JSON.parse(readFileSync(reportFile, 'utf8'))) : null;

const slowest = (report?.testResults ?? []).map(({ name, startTime, endTime }) => ({
  name: name.slice(root.length + 1),
  seconds: (endTime - startTime) / 1000,
}));
console.log('\nslowest files:');
for (const { name, seconds } of slowest.sort((a, b) => b.seconds - a.seconds).slice(0, 10))
  console.log(`  ${seconds.toFixed(1).padStart(6)} s  ${name}`);
if (existsSync(missingFile)) {
  console.log('\nNOT RUN, because something is missing on this machine:');
  for (const line of new Set(readFileSync(missingFile, 'utf8').trim().split('\n'))) console.log(`  ${line}`);
}
// A file that does not load has no assertion to count.
const brokenFiles = (report?.testResults ?? []).filter(
  ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
).length;
const passed = results.filter((result) => result.passed).length + (report?.numPassedTests ?? 0);
const failedBefore = results.filter((result) => !result.passed).length + (report?.numFailedTests ?? 0) + brokenFiles;
const failed = failedBefore === 0 && (exitCode !== 0 || report === null || passed === 0) ? 1 : failedBefore;
const skipped = report?.numPendingTests ?? 0;
console.log(`\n${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed === 0 ? 0 : 1);
