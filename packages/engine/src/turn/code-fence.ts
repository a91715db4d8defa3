import type { Boundary, Scan } from './boundary.ts';

const fenceLine = /^[ \t]*(?:```|~~~)/;

export function opensFence(open: string): boolean {
  return /^\s*(?:```|~~~)/u.test(open);
}

/** A code block is one sentence, closing line included; dots and line ends inside it end nothing. One longer than `limit` is cut at line ends. */
export function fenceBoundary(scan: Scan, rules: { readonly final: boolean; readonly limit: number }): Boundary {
  const { open } = scan;
  let opened = scan.insideFence;
  let line = 0;
  while (line < open.length) {
    const newline = open.indexOf('\n', line);
    const lineEnd = newline === -1 ? open.length : newline;
    if (lineEnd - line > rules.limit) return { type: 'end', end: wholeCut(open, line + rules.limit), insideFence: true };
    if (newline === -1) break;
    const isFence = fenceLine.test(open.slice(line, newline));
    line = newline + 1;
    if (isFence && opened) return afterBlock(open, line, rules.final);
    opened ||= isFence;
    if (line >= rules.limit) return { type: 'end', end: line, insideFence: opened };
  }
  if (rules.final) return { type: 'end', end: open.length, insideFence: false };
  return { type: 'open', certain: wholeCut(open, open.length), scanned: 0 };
}

function afterBlock(open: string, from: number, final: boolean): Boundary {
  const space = /^\s*/u.exec(open.slice(from))?.[0] ?? '';
  const next = from + space.length;
  if (next < open.length || final) return { type: 'end', end: next, insideFence: false };
  return { type: 'open', certain: next, scanned: 0 };
}

/** `at`, or one less where that would tear a surrogate pair. */
function wholeCut(open: string, at: number): number {
  return /[\ud800-\udbff]$/.test(open.slice(0, at)) ? at - 1 : at;
}
