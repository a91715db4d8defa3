import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { node24, root } from './install.mjs';

const page = join(root, 'packages', 'console');
const stamp = join(page, 'dist', '.built');
const sources = [
  'packages/console/src',
  'packages/console/public',
  'scripts/build-page.mjs',
  'packages/console/index.html',
  'packages/console/vite.config.ts',
  'packages/sdk/src',
  'pnpm-lock.yaml',
];

function filesOf(path) {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  const entries = readdirSync(full, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function hashOfSources() {
  const hash = createHash('sha256');
  const files = sources.flatMap((path) => (path.includes('.') ? [join(root, path)].filter(existsSync) : filesOf(path))).sort();
  for (const file of files) hash.update(file.slice(root.length)).update(readFileSync(file));
  return hash.digest('hex');
}

/** Builds the page, if it was not built from these very sources. */
export function ensurePage() {
  const wanted = hashOfSources();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log('Building the page (once)...');
  const vite = join(page, 'node_modules', 'vite', 'bin', 'vite.js');
  // Whoever calls: a test runner's NODE_ENV would build React's slow, doubled development edition.
  const env = { ...process.env, NODE_ENV: 'production' };
  const result = spawnSync(node24, [vite, 'build'], { cwd: page, env, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (result.status !== 0) {
    console.error(result.stdout, result.stderr);
    console.error('The page could not be built.');
    process.exit(result.status ?? 1);
  }
  writeFileSync(stamp, wanted);
}
