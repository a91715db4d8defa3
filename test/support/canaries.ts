import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The ways in which a program may write a text to a file. */
export function formsOf(text: string): readonly Buffer[] {
  const base64 = Buffer.from(text).toString('base64');
  const escaped = JSON.stringify(text)
    .slice(1, -1)
    .replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  // Without its ends, which depend on what stands beside it.
  return [Buffer.from(text), Buffer.from(text, 'utf16le'), Buffer.from(base64.slice(2, -4)), Buffer.from(escaped)];
}

/** Every file below `folder` that holds one of these. */
export function filesHolding(folder: string, sought: readonly Buffer[]): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size > 0 && isIn(readFileSync(path), sought));
}

function isIn(content: Buffer, sought: readonly Buffer[]): boolean {
  return sought.some((one) => content.includes(one));
}
