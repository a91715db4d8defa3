import { useSyncExternalStore } from 'react';
import { hrefOf, parseRoute, type Route } from './router.ts';

function subscribe(onChange: () => void): () => void {
  window.addEventListener('hashchange', onChange);
  return () => window.removeEventListener('hashchange', onChange);
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  return parseRoute(hash);
}

export function go(route: Exclude<Route, { view: 'unknown' }>, { replace = false } = {}): void {
  const href = hrefOf(route);
  if (!replace) {
    window.location.hash = href;
    return;
  }
  window.history.replaceState(null, '', href);
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}
