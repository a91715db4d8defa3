// `npm run dev`: the engine restarts with every change, the page reloads itself. One Ctrl-C ends both.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureInstalled, node24, root } from './install.mjs';
import { settings, whenNpmEnds } from './run.mjs';

ensureInstalled();
const page = join(root, 'packages', 'console');
const children = [
  spawn(node24, [...settings(), '--watch', '--watch-preserve-output', 'packages/server/src/main.ts'], { cwd: root, stdio: 'inherit' }),
  spawn(node24, [...settings(), join(page, 'node_modules', 'vite', 'bin', 'vite.js')], { cwd: page, stdio: 'inherit' }),
];
function stop() {
  for (const child of children) child.kill('SIGTERM');
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
whenNpmEnds(stop);
for (const child of children) {
  child.on('exit', (code) => {
    stop();
    process.exitCode ??= code ?? 0;
  });
}
