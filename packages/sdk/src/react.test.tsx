import { StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import type { TutorSession } from './contract.ts';
import {
  useCaptions,
  useHearing,
  useMedia,
  useMediaStats,
  useMic,
  useMicLevel,
  useSessionView,
  useTurns,
  useTutorSession,
  useTutorVideo,
} from './react.ts';
import type { Connect } from './session-store.ts';
import { scriptedSession } from './testing.ts';

function Started({ connect }: { readonly connect: Connect }) {
  const { session, state } = useTutorSession(connect);
  return `${state}, ${useTurns(session).length} turns`;
}

function Given({ session }: { readonly session: TutorSession }) {
  return `${useSessionView(session).turns.length} turns`;
}

const scripted = () => scriptedSession({ reply: () => ({ sentences: ['Yes.'] }) });

test('rendering on a server opens nothing and shows an idle, empty lesson', () => {
  let opened = 0;
  const connect = async () => {
    opened += 1;
    return scripted();
  };
  const page = (
    <StrictMode>
      <Started connect={connect} />
    </StrictMode>
  );
  expect(renderToString(page)).toBe('idle, 0 turns');
  expect(opened).toBe(0);
});

test('a server renders no lesson under way, so that the first paint in the browser is the same', async () => {
  await using session = scripted();
  await session.chat.send('hello').text();
  expect(renderToString(<Given session={session} />)).toBe('0 turns');
});

function Spoken({ session }: { readonly session: TutorSession | null }) {
  const video = useTutorVideo(session);
  const { status, quality } = useMedia(session);
  const parts = [
    status,
    quality,
    useMic(session).status,
    useCaptions(session).current,
    useHearing(session).partial,
    useMicLevel(session),
    useMediaStats(session),
  ];
  return (
    <div>
      {typeof video} {parts.map(String).join(' ')}
    </div>
  );
}

test('a server renders voice and face at rest, and opens nothing', async () => {
  await using session = scripted();
  const page = renderToString(<Spoken session={null} />);
  expect(page).toContain('idle text off null  0 null');
  expect(renderToString(<Spoken session={session} />)).toBe(page);
  expect(session.media.state.status).toBe('idle');
});
