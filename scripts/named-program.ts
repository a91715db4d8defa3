import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './steps.ts';

interface NamedPrograms {
  /** The npm script, for the hint. */
  readonly script: 'bench' | 'soak';
  /** Relative to the root. */
  readonly folder: string;
  /** A run that takes longer is ended and has failed, minutes. */
  readonly limitMinutes: number;
}

/** Runs `folder/NAME.ts` with what follows on the command line, and ends with its exit code. */
export async function runNamed({ script, folder, limitMinutes }: NamedPrograms): Promise<never> {
  const [name = '', ...args] = process.argv.slice(2);
  const file = join(root, folder, `${name}.ts`);
  if (!/^[a-z][a-z0-9-]*$/.test(name) || !existsSync(file)) {
    const files = existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : [];
    const names = files.filter((entry) => entry.endsWith('.ts')).map((entry) => entry.slice(0, -3));
    console.error(names.length === 0 ? `${folder} has none yet` : `which one? npm run ${script} -- ${names.sort().join(' | ')}`);
    process.exit(2);
  }
  const child = spawn(process.execPath, [file, ...args], { cwd: root, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const timer = setTimeout(() => {
    console.error(`${folder}/${name} did not end within ${limitMinutes} minutes`);
    child.kill('SIGTERM');
  }, limitMinutes * 60_000);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  process.exit(code ?? 1);
}
