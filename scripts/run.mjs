// Runs one of the repository's TypeScript programs with the pinned Node, installing first if need be.
import { spawn } from 'node:child_process';
import { ensureInstalled, node24, root } from './install.mjs';

/** Ends with the program's exit code; signals are passed on. */
export function run(args, env = process.env) {
  const child = spawn(node24, args, { cwd: root, stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

if (import.meta.filename === process.argv[1]) {
  ensureInstalled();
  run(process.argv.slice(2));
}
