import { readdirSync, readFileSync } from 'node:fs';

/** Processes that this one started and that still run; with `program`, only those whose command line holds it. */
export function childrenOf(pid: number, program = ''): readonly number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid && commandOf(candidate).includes(program));
}

/** Those, and all that they started in turn. */
export function descendantsOf(pid: number, program = ''): readonly number[] {
  return childrenOf(pid, program).flatMap((child) => [child, ...descendantsOf(child)]);
}

function parentOf(pid: number): number {
  const fields = read(pid, 'stat')
    .replace(/^.*\) /, '')
    .split(' ');
  return Number(fields[1] ?? -1);
}

function commandOf(pid: number): string {
  return read(pid, 'cmdline').replaceAll('\0', ' ');
}

/** Empty for one that has just ended. */
function read(pid: number, file: 'stat' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
