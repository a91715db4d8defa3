import { appendFileSync, existsSync } from 'node:fs';
import { describe } from 'vitest';

export const chromiumPath =
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path)) ?? null;
export const chromiumAvailable = chromiumPath !== null;

/** A suite that needs something of the machine. Without it, it is skipped, and `npm test` says so at its end. */
export function describeWith(available: boolean, what: string): typeof describe | typeof describe.skip {
  if (available) return describe;
  const file = process.env['NOT_RUN_FILE'];
  const line = `what needs ${what}`;
  if (file === undefined) console.warn(`NOT RUN: ${line}`);
  else appendFileSync(file, `${line}\n`);
  return describe.skip;
}
