import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './steps.ts';

/** TypeScript in the documents compiles against the SDK as it is. */
const folder = join(root, 'packages', 'sdk', 'temp', 'snippets');

/** What a reader is expected to have already. */
const given = `
import type { Grant, SessionView, TutorSession } from '@virtual-tutor/sdk';
declare global {
  const grant: Grant;
  const sessionId: string;
  const fetchGrant: () => Promise<Grant>;
  const fetchFreshToken: () => Promise<string>;
  const lesson: TutorSession;
  const video: HTMLVideoElement;
  const show: (text: string) => void;
  const showConnection: (state: string) => void;
  const render: (view: SessionView) => void;
  const expect: (actual: string) => { toBe(expected: string): void };
}
`;

/** As strict as most readers are, not as strict as we are. */
const compilerOptions = {
  target: 'es2024',
  lib: ['es2024', 'esnext.disposable', 'dom', 'dom.iterable'],
  module: 'esnext',
  moduleResolution: 'bundler',
  jsx: 'react-jsx',
  types: ['node'],
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
};

function snippetsOf(document: string) {
  const text = readFileSync(join(root, document), 'utf8');
  return [...text.matchAll(/^```tsx?\n([\s\S]*?)^```/gm)].map(({ index, 1: code = '' }) => {
    const line = text.slice(0, index).split('\n').length;
    return { file: `${document.replaceAll('/', '-')}-line-${line}.tsx`, code };
  });
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const documents = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean);
for (const { file, code } of documents.flatMap(snippetsOf)) writeFileSync(join(folder, file), `${code}\nexport {};\n`);
writeFileSync(join(folder, 'given.d.ts'), given);
writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['.'] }));
const { status, stdout } = spawnSync('tsc', ['-p', folder, '--pretty', 'false'], { cwd: folder, encoding: 'utf8' });
rmSync(folder, { recursive: true });
console.log(stdout);
process.exitCode = status ?? 1;
