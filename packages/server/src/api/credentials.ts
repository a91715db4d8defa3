import type { App } from '../app/app.ts';
import { looksLikeApiKey } from '../app/tokens.ts';
import type { Caller } from './context.ts';

/** `Bearer x` is `x`. */
export function bearerOf(header: string | undefined): string | null {
  const match = /^Bearer ([\w.~+/=-]{1,4096})$/i.exec(header ?? '');
  return match?.[1] ?? null;
}

/** Never throws: what is not valid is anonymous, and the policies turn it away with a reason. */
export async function identify(app: App, credential: string | null): Promise<Caller> {
  if (credential === null) return { kind: 'anonymous', reason: 'none' };
  if (looksLikeApiKey(credential)) {
    const key = await app.access.findKey(credential);
    return key === null ? invalid : { kind: 'key', ...key };
  }
  const student = await app.tokens.verifyEngine(credential);
  if (student !== null) return { kind: 'student', ...student };
  const console = await app.tokens.verifyConsole(credential);
  return console === null ? invalid : { kind: 'console', ...console };
}

const invalid: Caller = { kind: 'anonymous', reason: 'invalid' };
