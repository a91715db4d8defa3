import { expect, test } from 'vitest';
import type { TutorSession } from './contract.ts';
import { TutorError } from './errors.ts';
import { SessionStore } from './session-store.ts';
import { scriptedSession } from './testing.ts';

const scripted = () => scriptedSession({ reply: () => ({ sentences: ['Yes.'] }) });

function storeWithStates() {
  const store = new SessionStore();
  const states: string[] = [];
  store.subscribe(() => states.push(store.snapshot().state));
  return { store, states };
}

test('nothing is opened before the start', () => {
  const { store } = storeWithStates();
  expect(store.snapshot()).toEqual({ session: null, state: 'idle', error: null });
});

test('a session is shown as it connects and closes', async () => {
  const { store, states } = storeWithStates();
  await store.start(async () => scripted());
  await expect.poll(() => store.snapshot().state).toBe('connected');
  await store.snapshot().session?.close();
  expect(store.snapshot().state).toBe('closed');
  expect(states.at(0)).toBe('connecting');
});

test('stopping closes the session and goes back to idle', async () => {
  const { store } = storeWithStates();
  await store.start(async () => scripted());
  const { session } = store.snapshot();
  store.stop();
  expect(store.snapshot().state).toBe('idle');
  await expect.poll(() => session?.state).toBe('closed');
});

test('mounting twice, as in StrictMode, leaves one session open', async () => {
  const { store } = storeWithStates();
  const opened: TutorSession[] = [];
  const connect = async () => {
    const session = scripted();
    opened.push(session);
    return session;
  };
  const first = store.start(connect);
  store.stop();
  await Promise.all([first, store.start(connect)]);
  await expect.poll(() => opened.map(({ state }) => state)).toEqual(['closed', 'connected']);
  expect(store.snapshot().session).toBe(opened[1]);
});

test('a failure to connect is shown', async () => {
  const { store } = storeWithStates();
  await store.start(async () => {
    throw new TutorError('unauthorized', 'get a new token');
  });
  expect(store.snapshot()).toMatchObject({ session: null, state: 'closed', error: { code: 'unauthorized' } });
});

test('a stop during the connect is told to whoever connects', async () => {
  const { store } = storeWithStates();
  let told = false;
  const starting = store.start(async (signal) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    told = true;
    throw new TutorError('aborted', 'stopped');
  });
  store.stop();
  await starting;
  expect(told).toBe(true);
  expect(store.snapshot().state).toBe('idle');
});
