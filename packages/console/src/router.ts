export type DeskTab = 'tutors' | 'faces' | 'knowledge' | 'links';

export type Route =
  | { readonly view: 'home' }
  | { readonly view: 'lesson'; readonly sessionId: string }
  | { readonly view: 'join'; readonly code: string }
  | { readonly view: 'desk'; readonly tab: DeskTab; readonly id: string | null }
  | { readonly view: 'audit' }
  | { readonly view: 'replay'; readonly sessionId: string; readonly revision: number | null }
  | { readonly view: 'unknown' };

/** Reads `location.hash`. */
export function parseRoute(hash: string): Route {
  const [view = '', first = '', second = ''] = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .map(decoded);
  switch (view) {
    case '':
      return { view: 'home' };
    case 'lesson':
      return first === '' ? { view: 'unknown' } : { view: 'lesson', sessionId: first };
    case 'join':
      return first === '' ? { view: 'unknown' } : { view: 'join', code: first };
    case 'desk':
      return deskRoute(first, second);
    case 'audit':
      return first === '' ? { view: 'audit' } : { view: 'replay', sessionId: first, revision: revisionOf(second) };
    default:
      return { view: 'unknown' };
  }
}

export function hrefOf(route: Exclude<Route, { view: 'unknown' }>): string {
  switch (route.view) {
    case 'home':
      return '#/';
    case 'lesson':
      return `#/lesson/${encodeURIComponent(route.sessionId)}`;
    case 'join':
      return `#/join/${encodeURIComponent(route.code)}`;
    case 'desk':
      return route.id === null ? `#/desk/${route.tab}` : `#/desk/${route.tab}/${encodeURIComponent(route.id)}`;
    case 'audit':
      return '#/audit';
    case 'replay':
      return `#/audit/${encodeURIComponent(route.sessionId)}${route.revision === null ? '' : `/${route.revision}`}`;
  }
}

function deskRoute(tab: string, id: string): Route {
  switch (tab) {
    case '':
      return { view: 'desk', tab: 'tutors', id: null };
    case 'tutors':
    case 'faces':
    case 'knowledge':
      return { view: 'desk', tab, id: id === '' ? null : id };
    case 'links':
      return { view: 'desk', tab, id: null };
    default:
      return { view: 'unknown' };
  }
}

function revisionOf(text: string): number | null {
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
