// Runs one of the repository's TypeScript programs with the pinned Node, installing first if need be.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, node24, root } from './install.mjs';

/** A file of settings beside README.md is the engine's; the real environment wins over it. */
export function settings() {
  const file = join(root, '.env');
  return existsSync(file) ? [`--env-file=${file}`] : [];
}

/** How often to look whether npm is still there, ms. */
const lookMs = 500;

/** A signal to npm ends npm and its shell without reaching what they run: so that ends with them. */
export function whenNpmEnds(stop) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && stop(), lookMs).unref();
}

/** Ends with the program's exit code; signals are passed on. */
export function run(args) {
  const child = spawn(node24, args, { cwd: root, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  whenNpmEnds(() => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  ensureInstalled();
  const [program, ...args] = process.argv.slice(2);
  run([...(program.startsWith('packages/server/') ? settings() : []), program, ...args]);
}
