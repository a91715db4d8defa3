import { describe, expect, test } from 'vitest';
import { hrefOf, parseRoute, type Route } from './router.ts';

const routes: readonly Exclude<Route, { view: 'unknown' }>[] = [
  { view: 'home' },
  { view: 'lesson', sessionId: '01890a5d-ac96-774b-bcce-b302099a8057' },
  { view: 'join', code: 'a.b_c-d' },
  { view: 'desk', tab: 'tutors', id: null },
  { view: 'desk', tab: 'knowledge', id: 'light-water-sky-zh' },
  { view: 'desk', tab: 'faces', id: '+' },
  { view: 'desk', tab: 'links', id: null },
  { view: 'audit' },
  { view: 'replay', sessionId: 's', revision: null },
  { view: 'replay', sessionId: 's', revision: 12 },
];

describe('routes', () => {
  test.each(routes)('%j survives its address', (route) => {
    expect(parseRoute(hrefOf(route))).toEqual(route);
  });

  test.each(['', '#', '#/'])('%j is the home page', (hash) => {
    expect(parseRoute(hash)).toEqual({ view: 'home' });
  });

  test.each(['#/nowhere', '#/lesson', '#/join/', '#/desk/nowhere'])('%s leads nowhere', (hash) => {
    expect(parseRoute(hash)).toEqual({ view: 'unknown' });
  });

  test('a broken escape is taken as it is', () => {
    expect(parseRoute('#/lesson/%zz')).toEqual({ view: 'lesson', sessionId: '%zz' });
  });

  test('a revision that is no revision is ignored', () => {
    expect(parseRoute('#/audit/s/-1')).toEqual({ view: 'replay', sessionId: 's', revision: null });
  });
});
