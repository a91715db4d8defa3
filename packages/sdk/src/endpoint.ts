import { TutorError } from './errors.ts';

const path = '/trpc';
const schemes: Readonly<Record<string, { readonly http: string; readonly ws: string }>> = {
  'http:': { http: 'http:', ws: 'ws:' },
  'ws:': { http: 'http:', ws: 'ws:' },
  'https:': { http: 'https:', ws: 'wss:' },
  'wss:': { http: 'https:', ws: 'wss:' },
};

/** Where the engine at `url` answers. Whatever stood in the query is dropped: no credential belongs there. */
export function endpoint(url: string, scheme: 'http' | 'ws'): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const protocol = parsed === null ? undefined : schemes[parsed.protocol]?.[scheme];
  if (parsed === null || protocol === undefined) {
    throw new TutorError('invalid_input', 'url: give the address of the engine, such as http://localhost:9000');
  }
  const base = parsed.pathname.replace(/\/+$/, '');
  return `${protocol}//${parsed.host}${base.endsWith(path) ? base : `${base}${path}`}`;
}

export const apiKeyPrefix = 'vt_key_';

export function isBrowser(): boolean {
  return 'document' in globalThis || 'WorkerGlobalScope' in globalThis;
}
