import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startPacer } from './pacer.ts';
import { frameMs } from './playout.ts';

const startMs = 5_000;
let [nowMs, frames, skipped] = [startMs, 0, 0];
let pacer: Disposable;

beforeEach(() => {
  vi.useFakeTimers();
  [nowMs, frames, skipped] = [startMs, 0, 0];
  pacer = startPacer({
    nowMs: () => nowMs,
    onFrame: () => {
      frames += 1;
    },
    onSkip: (count) => {
      skipped += count;
    },
  });
});

afterEach(() => {
  pacer[Symbol.dispose]();
  vi.useRealTimers();
});

/** The clock goes on while timers run, `lateMs` behind each other. */
function pass(ms: number, lateMs = 0): void {
  for (let gone = 0; gone < ms; gone += 1) {
    nowMs += 1;
    if (lateMs === 0 || gone % lateMs === lateMs - 1) vi.advanceTimersByTime(Math.max(1, lateMs));
  }
}

/** The process stands still: the clock goes on, timers do not. */
function stall(ms: number): void {
  nowMs += ms;
  vi.advanceTimersByTime(frameMs);
}

test('a frame is due at once and every 20 ms after it', () => {
  pass(1_000);
  expect(frames).toBe(1_000 / frameMs + 1);
  expect(skipped).toBe(0);
});

test('timers that are always late lose no frame over a minute', () => {
  pass(60_000, 7);
  expect(frames).toBeGreaterThanOrEqual(60_000 / frameMs);
  expect(frames).toBeLessThanOrEqual(60_000 / frameMs + 1);
  expect(skipped).toBe(0);
});

test('a short stop is made up for at once', () => {
  pass(100);
  const before = frames;
  stall(200);
  expect(frames - before).toBe(200 / frameMs);
  expect(skipped).toBe(0);
});

test('after a long stop the clock jumps: one frame, and the owner is told how many are not made', () => {
  pass(100);
  const before = frames;
  stall(10_000);
  expect(frames - before).toBe(1);
  expect(skipped).toBe(10_000 / frameMs - 1);
  pass(1_000);
  expect(frames - before).toBe(1 + 1_000 / frameMs);
});

test('nothing runs any more once it is disposed', () => {
  pass(100);
  const before = frames;
  pacer[Symbol.dispose]();
  pass(1_000);
  expect(frames).toBe(before);
  expect(vi.getTimerCount()).toBe(0);
});
