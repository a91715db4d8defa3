import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LinkLost, TutorError } from './errors.ts';
import type { Link } from './link.ts';
import { type Stay, stayConnected } from './stay-connected.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A link whose feed delivers one item, or none, and then fails. */
function failing(error: TutorError, delivers: boolean): Link {
  const none = () => Promise.reject(error);
  return {
    down: new AbortController().signal,
    async follow({ onItem }) {
      if (delivers) onItem('1.0', { type: 'caughtUp' });
      throw error;
    },
    send: none,
    interrupt: none,
    renewToken: none,
    mediaConfig: none,
    negotiate: none,
    appendAudio: none,
    commitAudio: none,
    signals: none,
    chunks: none,
    close: () => Promise.resolve(),
  };
}

interface Attempt {
  readonly atMs: number;
  readonly attempt: number;
}

/** Runs until the policy gives up, over these links; says when which try was asked for. */
async function tries(links: readonly Link[], delayMs: number, overrides: Partial<Stay> = {}) {
  const attempts: Attempt[] = [];
  const opened: number[] = [];
  const startedAt = Date.now();
  let next = 0;
  const run = stayConnected({
    sessionId: 's',
    open: () => {
      opened.push(Date.now() - startedAt);
      return links[next++] ?? failing(new TutorError('internal', 'no more links'), false);
    },
    token: async () => 'token',
    reconnect: {
      nextDelayMs({ attempt, elapsedMs }) {
        attempts.push({ atMs: elapsedMs, attempt });
        return delayMs;
      },
    },
    signal: new AbortController().signal,
    resumeFrom: () => undefined,
    onItem: () => {},
    onConnected: () => {},
    onLost: () => {},
    onClosing: () => {},
    isOver: () => false,
    startOver: () => false,
    ...overrides,
  }).catch((error: unknown) => error);
  await vi.runAllTimersAsync();
  return { attempts, opened, error: await run };
}

const lost = new LinkLost('lost');

test('tries are counted and timed from the loss, and anew after each item', async () => {
  const { attempts, error } = await tries([failing(lost, false), failing(lost, false), failing(lost, true), failing(lost, false)], 100);
  expect(attempts).toEqual([
    { atMs: 0, attempt: 0 },
    { atMs: 100, attempt: 1 },
    { atMs: 0, attempt: 0 },
    { atMs: 100, attempt: 1 },
  ]);
  expect(error).toMatchObject({ code: 'internal' });
});

test('the engine may ask for a longer wait than the policy, never for a shorter one', async () => {
  const busy = (retryAfterMs: number) => failing(new TutorError('rate_limited', 'busy', { retryAfterMs }), false);
  const { opened } = await tries([busy(5_000), busy(10)], 100);
  expect(opened).toEqual([0, 5_000, 5_100]);
});

test('a refused token is replaced at once, and a second refusal is final', async () => {
  const refusal = new TutorError('unauthorized', 'expired');
  let asked = 0;
  const token = async () => `token-${++asked}`;
  const { opened, error } = await tries([failing(refusal, false), failing(refusal, false)], 100, { token });
  expect(opened).toEqual([0, 0]);
  expect(error).toBe(refusal);
});

test('the same token is not tried a second time', async () => {
  const { opened, error } = await tries([failing(new TutorError('unauthorized', 'expired'), false)], 100);
  expect(opened).toEqual([0]);
  expect(error).toMatchObject({ code: 'unauthorized' });
});

test('a token that never comes counts as a failed try', async () => {
  let asked = 0;
  const token = () => (++asked === 1 ? new Promise<string>(() => {}) : Promise.resolve('token'));
  const { opened } = await tries([], 100, { token });
  expect(opened).toEqual([15_100]);
});
