import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './steps.ts';

/** `npm run soak -- NAME`: a long run, bounded in time; see the file for what it holds. */
const [name, ...args] = process.argv.slice(2);
const file = join(root, 'test', 'soak', `${name}.ts`);
if (name === undefined || !/^[a-z-]+$/.test(name) || !existsSync(file)) {
  const names = readdirSync(join(root, 'test', 'soak'))
    .filter((entry) => entry.endsWith('.ts'))
    .map((entry) => entry.slice(0, -3));
  console.error(`which one? npm run soak -- ${names.join(' | ')}`);
  process.exit(1);
}
spawn(process.execPath, [file, ...args], { cwd: root, stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1));
