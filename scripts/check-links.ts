import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './steps.ts';

/** Relative links of every document lead somewhere, and the files that it names are there. */
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)));

function targetsOf(text: string): string[] {
  return [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, target = '']) => target);
}

/** Source files by name, as `handle.ts` or `app/handle.ts`. */
function sourcesOf(text: string): string[] {
  return [...text.matchAll(/`([\w./-]+\.(?:tsx?|[cm]js|md))`/g)].map(([, name = '']) => name);
}

function troublesOf(document: string): string[] {
  const text = readFileSync(join(root, document), 'utf8').replaceAll(/```[\s\S]*?```/g, '');
  return [
    ...targetsOf(text).filter((target) => !existsSync(join(root, dirname(document), target))),
    ...sourcesOf(text).filter((name) => !tracked.some((path) => `/${path}`.endsWith(`/${name}`))),
  ].map((missing) => `${document}: ${missing}`);
}

const troubles = tracked.filter((path) => path.endsWith('.md')).flatMap(troublesOf);
if (troubles.length > 0) {
  console.log(`not there:\n${troubles.join('\n')}`);
  process.exit(1);
}
