import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './steps.ts';

/** `npm run bench -- NAME [--json]`: one claim, measured against a peer or a limit; the last line is JSON. */
const [name, ...args] = process.argv.slice(2);
const file = join(root, 'bench', `${name}.ts`);
if (name === undefined || !/^[a-z-]+$/.test(name) || !existsSync(file)) {
  const names = readdirSync(join(root, 'bench'))
    .filter((entry) => entry.endsWith('.ts'))
    .map((entry) => entry.slice(0, -3));
  console.error(`which one? npm run bench -- ${names.join(' | ')}`);
  process.exit(1);
}
spawn(process.execPath, [file, ...args], { cwd: root, stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1));
