// Plain JavaScript: it runs on Node 20 before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** The Node 24 that the repository pins. */
export const node24 = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const stamp = join(root, 'node_modules', '.installed');

function hashOf(...files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Node ${process.versions.node} is too old to begin with: install Node 20.19 or later, then try again.`);
  process.exit(1);
}

/**
 * npm runs our scripts with the `node` of `.bin`: made the program itself, since pnpm's shell script there
 * keeps signals from it. (All links, `preferSymlinkedExecutables`, would run the other tools on the machine's own Node.)
 */
function linkNode() {
  const link = join(root, 'node_modules', '.bin', 'node');
  if (process.platform === 'win32' || lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  rmSync(link, { force: true });
  symlinkSync(join('..', 'node', 'bin', 'node'), link);
}

/** Installs what the lockfile names, with the pinned pnpm; milliseconds when nothing has changed. */
export function ensureInstalled() {
  requireNode();
  const wanted = hashOf('pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json');
  if (existsSync(stamp) && existsSync(node24) && readFileSync(stamp, 'utf8') === wanted) return linkNode();
  const pnpm = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager;
  console.log('Installing packages (once, about a minute)...');
  const env = { ...process.env, npm_config_loglevel: 'error', npm_config_yes: 'true', CI: 'true' };
  const args = ['--yes', pnpm, 'install', '--frozen-lockfile', '--reporter=append-only'];
  const result = spawnSync('npx', args, { cwd: root, env, encoding: 'utf8', shell: process.platform === 'win32', maxBuffer: 2 ** 28 });
  if (result.status !== 0) {
    console.error(result.stdout, result.stderr);
    console.error('The packages could not be installed: check that the npm registry can be reached, then try again.');
    process.exit(result.status ?? 1);
  }
  linkNode();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}
