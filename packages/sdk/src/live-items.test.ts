import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Changes } from './changes.ts';
import { aborted, LinkLost, TutorError } from './errors.ts';
import type { Link } from './link.ts';
import { type LiveSource, liveItems } from './live-items.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const unused = () => Promise.reject(new Error('not asked for'));

/** A session whose links come and go by hand, and what is followed on them. */
class World implements LiveSource<number> {
  readonly changes = new Changes();
  closed: TutorError | null = null;
  follows = 0;
  /** Refuses the next subscriptions with these. */
  readonly refusals: TutorError[] = [];
  tell: (item: number) => void = () => {};
  #link: Link | null = null;
  #down = new AbortController();

  link = () => this.#link;
  failure = () => this.closed;

  connect(): void {
    this.#down = new AbortController();
    this.#link = {
      down: this.#down.signal,
      follow: unused,
      send: unused,
      interrupt: unused,
      renewToken: unused,
      mediaConfig: unused,
      negotiate: unused,
      appendAudio: unused,
      commitAudio: unused,
      signals: unused,
      chunks: unused,
      close: unused,
    };
    this.changes.tell();
  }

  lose(): void {
    this.#link = null;
    this.#down.abort(new LinkLost('gone'));
  }

  readonly follow: LiveSource<number>['follow'] = (link, onItem, signal) => {
    this.follows += 1;
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return Promise.reject(refusal);
    this.tell = onItem;
    return new Promise((resolve, reject) => {
      link.down.addEventListener('abort', () => reject(link.down.reason));
      signal.addEventListener('abort', () => resolve());
    });
  };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

test('items come from one link after the other', async () => {
  const world = new World();
  const items = liveItems(world, undefined);
  const first = items.next();
  world.connect();
  await settle();
  world.tell(1);
  expect(await first).toEqual({ value: 1, done: false });
  world.lose();
  const second = items.next();
  await settle();
  world.connect();
  await settle();
  world.tell(2);
  expect(await second).toEqual({ value: 2, done: false });
  await items.return();
});

test('a reader who lags misses the oldest, never the newest', async () => {
  const world = new World();
  world.connect();
  const items = liveItems(world, undefined);
  const first = items.next();
  await settle();
  for (let item = 0; item < 300; item += 1) world.tell(item);
  const read = [(await first).value];
  for (let reads = 0; reads < 255; reads += 1) read.push((await items.next()).value);
  expect(read.at(-1)).toBe(299);
  expect(read.at(0)).toBe(44);
  await items.return();
});

test('an engine that is still starting is asked again when it said to, another refusal ends the reading', async () => {
  const world = new World();
  world.refusals.push(new TutorError('unavailable', 'starting', { retryAfterMs: 3_000 }));
  world.connect();
  const items = liveItems(world, undefined);
  const first = items.next();
  await vi.advanceTimersByTimeAsync(2_900);
  expect(world.follows).toBe(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(world.follows).toBe(2);
  world.tell(7);
  expect(await first).toEqual({ value: 7, done: false });
  world.refusals.push(new TutorError('media_unavailable', 'no'));
  world.lose();
  const next = expect(items.next()).rejects.toMatchObject({ code: 'media_unavailable' });
  world.connect();
  await next;
});

test('a closed session ends the reading, and so does its reader', async () => {
  const world = new World();
  world.connect();
  const items = liveItems(world, undefined);
  const none = items.next();
  await settle();
  world.closed = aborted();
  world.changes.tell();
  expect(await none).toEqual({ value: undefined, done: true });

  const open = new World();
  open.connect();
  const left = new AbortController();
  const cut = expect(liveItems(open, left.signal).next()).rejects.toMatchObject({ code: 'aborted' });
  await settle();
  left.abort();
  await cut;
  expect(vi.getTimerCount()).toBe(0);
});
