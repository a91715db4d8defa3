import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { caller } from './calls.ts';
import { TutorError } from './errors.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const call = caller({}, (error) => error);

function failing(...errors: readonly Error[]) {
  const atMs: number[] = [];
  const startedAtMs = Date.now();
  return {
    atMs,
    work: async () => {
      atMs.push(Date.now() - startedAtMs);
      const error = errors[atMs.length - 1];
      if (error !== undefined) throw error;
      return 'done';
    },
  };
}

test('a failure that may pass is tried twice more', async () => {
  const unreachable = new TypeError('fetch failed');
  const { work, atMs } = failing(unreachable, unreachable);
  const result = call(undefined, work);
  await vi.runAllTimersAsync();
  expect(await result).toBe('done');
  expect(atMs).toHaveLength(3);
});

test('after the third failure the caller hears of it', async () => {
  const { work, atMs } = failing(...Array.from({ length: 9 }, () => new TypeError('fetch failed')));
  const result = expect(call(undefined, work)).rejects.toMatchObject({ code: 'unavailable' });
  await vi.runAllTimersAsync();
  await result;
  expect(atMs).toHaveLength(3);
});

test("the engine's own delay is kept", async () => {
  const { work, atMs } = failing(new TutorError('rate_limited', 'slow down', { retryAfterMs: 4_000 }));
  const result = call(undefined, work);
  await vi.runAllTimersAsync();
  await result;
  expect(atMs).toEqual([0, 4_000]);
});

test('a refusal that will not pass is not tried again', async () => {
  const { work, atMs } = failing(new TutorError('not_found', 'no such session'));
  await expect(call(undefined, work)).rejects.toMatchObject({ code: 'not_found' });
  expect(atMs).toEqual([0]);
});

test('a deadline covers all tries, and ends them even when the work does not listen', async () => {
  const result = expect(call({ timeoutMs: 1_000 }, () => new Promise(() => {}))).rejects.toMatchObject({ code: 'timeout' });
  await vi.advanceTimersByTimeAsync(1_000);
  await result;
});

test('a refusal that passes only after the deadline is told at once', async () => {
  const { work, atMs } = failing(new TutorError('capacity_exceeded', 'all places are taken', { retryAfterMs: 15_000 }));
  await expect(call({ timeoutMs: 15_000 }, work)).rejects.toMatchObject({ code: 'capacity_exceeded', retryAfterMs: 15_000 });
  expect(atMs).toEqual([0]);
});

test('an abort ends a call between two tries', async () => {
  const controller = new AbortController();
  const { work, atMs } = failing(new TutorError('unavailable', 'later', { retryAfterMs: 5_000 }));
  const result = expect(call({ signal: controller.signal }, work)).rejects.toMatchObject({ code: 'aborted' });
  await vi.advanceTimersByTimeAsync(100);
  controller.abort();
  await result;
  expect(atMs).toEqual([0]);
});

test('an aborted signal keeps a call from being made', async () => {
  const { work, atMs } = failing();
  await expect(call({ signal: AbortSignal.abort() }, work)).rejects.toMatchObject({ code: 'aborted' });
  expect(atMs).toEqual([]);
});
