import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');
const bin = join(root, 'node_modules', '.bin');

export interface StepResult {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
  readonly output: string;
}

/** One check: a program that says by its exit code whether all is well. */
export interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

export async function runStep({ name, command: [program, ...args] }: Step): Promise<StepResult> {
  const startedAt = performance.now();
  const child = spawn(program, args, { cwd: root, env: { ...process.env, NO_COLOR: '1', PATH: `${bin}:${process.env['PATH'] ?? ''}` } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  return { name, passed: code === 0, seconds: (performance.now() - startedAt) / 1000, output };
}

export const checks: readonly Step[] = [
  { name: 'types: schemas, engine, server', command: ['tsc', '-p', 'tsconfig.json'] },
  { name: 'types: tests, measurements, scripts', command: ['tsc', '-p', 'test/tsconfig.json'] },
  { name: 'types: sdk', command: ['tsc', '-p', 'packages/sdk/tsconfig.json'] },
  { name: 'types: console', command: ['tsc', '-p', 'packages/console/tsconfig.json'] },
  { name: 'types: browser side of tests', command: ['tsc', '-p', 'test/support/browser/tsconfig.json'] },
  { name: 'lint and format', command: ['biome', 'ci', '--error-on-warnings', '--colors=off', '.'] },
  { name: 'import arrows', command: ['depcruise', 'packages', 'test', 'bench', 'scripts', '--output-type', 'err'] },
  { name: 'nothing unused', command: ['knip', '--no-progress', '--no-config-hints'] },
  { name: 'generated documents are fresh', command: ['node', 'scripts/generate-docs.ts', '--check'] },
  { name: 'code in documents', command: ['node', 'scripts/check-snippets.ts'] },
  { name: 'links and file names in documents', command: ['node', 'scripts/check-links.ts'] },
];

/** Each keeps about one core busy, so two at once. */
export async function runChecks(): Promise<readonly StepResult[]> {
  const waiting = [...checks];
  const results: StepResult[] = [];
  const lane = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const result = await runStep(step);
      console.log(`${result.passed ? 'ok  ' : 'FAIL'} ${result.name} (${result.seconds.toFixed(1)} s)`);
      if (!result.passed) console.log(result.output.trimEnd());
      results.push(result);
    }
  };
  await Promise.all([lane(), lane()]);
  return results;
}
