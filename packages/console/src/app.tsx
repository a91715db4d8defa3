import { lazy, Suspense } from 'react';
import { Home } from './home/home.tsx';
import { ErrorBoundary } from './parts/error-boundary.tsx';
import { Blank, Loading } from './parts/notice.tsx';
import { Page } from './parts/page.tsx';
import { TopBar } from './parts/top-bar.tsx';
import { Join } from './room/join.tsx';
import { Room } from './room/room.tsx';
import { hrefOf, type Route } from './router.ts';
import { useSpeech } from './texts/use-language.tsx';
import { useRoute } from './use-route.ts';

// Students never need these: they load when somebody opens them.
const Desk = lazy(async () => ({ default: (await import('./desk/desk.tsx')).Desk }));
const Audit = lazy(async () => ({ default: (await import('./audit/audit.tsx')).Audit }));
const Replay = lazy(async () => ({ default: (await import('./audit/replay.tsx')).Replay }));

export function App() {
  const { say } = useSpeech();
  const route = useRoute();
  return (
    <>
      <button type="button" className="skip-link button" onClick={() => document.querySelector('main')?.focus()}>
        {say('skipToContent')}
      </button>
      {route.view === 'lesson' ? null : <TopBar route={route} />}
      <main tabIndex={-1}>
        <ErrorBoundary key={placeOf(route)} fallback={<Broken />}>
          <Suspense fallback={<Loading />}>
            <View route={route} />
          </Suspense>
        </ErrorBoundary>
      </main>
    </>
  );
}

function View({ route }: { readonly route: Route }) {
  switch (route.view) {
    case 'home':
      return <Home />;
    case 'lesson':
      return <Room sessionId={route.sessionId} />;
    case 'join':
      return <Join code={route.code} />;
    case 'desk':
      return <Desk tab={route.tab} id={route.id} />;
    case 'audit':
      return <Audit />;
    case 'replay':
      return <Replay sessionId={route.sessionId} revision={route.revision} />;
    case 'unknown':
      return <Unknown />;
  }
}

/** Views of one place keep their state: a revision is only a position within the replay. */
function placeOf(route: Route): string {
  return JSON.stringify(route.view === 'replay' ? { ...route, revision: null } : route);
}

function Unknown() {
  const { say } = useSpeech();
  return (
    <Page title={say('unknownTitle')}>
      <p>{say('unknownBody')}</p>
      <p>
        <a className="button" href={hrefOf({ view: 'home' })}>
          {say('backToLessons')}
        </a>
      </p>
    </Page>
  );
}

function Broken() {
  const { say } = useSpeech();
  return (
    <Blank
      title={say('brokenTitle')}
      action={
        <button type="button" className="button button-primary" onClick={() => window.location.reload()}>
          {say('reload')}
        </button>
      }
    >
      <p role="alert">{say('brokenBody')}</p>
    </Blank>
  );
}
