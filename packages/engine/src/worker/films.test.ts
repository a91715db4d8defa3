import { AvatarId } from '@virtual-tutor/schemas';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Renderer } from '../media/ports.ts';
import { type Film, Films } from './films.ts';

const avatar = (nth: number) => AvatarId.parse(`0193c5a0-0000-7000-8000-00000000000${nth}`);
const [lin, wang, zhao] = [avatar(1), avatar(2), avatar(3)];
const keptMs = 60_000;
const settle = () => vi.advanceTimersByTimeAsync(0);
const ignore = () => undefined;

function film(): Film {
  const renderer: Renderer = { width: 2, height: 2, idleFrames: 1, render: () => new Uint8Array(6) };
  return { renderer, idle: [{ data: new Uint8Array(1), key: true }] };
}

/** What an avatar's folder says of itself. */
class Unreadable extends Error {
  readonly code: string;
  constructor(code: string) {
    super('unreadable');
    this.code = code;
  }
}

class Shelf {
  readonly reads: AvatarId[] = [];
  readonly fails = new Map<AvatarId, Error>();
  readonly defects: unknown[] = [];
  mostAtOnce = 0;
  #reading = 0;
  readonly films: Films;

  constructor(most: number) {
    this.films = new Films({
      load: (avatarId) => this.#load(avatarId),
      most,
      keptMs,
      now: () => Date.now(),
      onDefect: (error) => this.defects.push(error),
    });
  }

  async #load(avatarId: AvatarId): Promise<Film> {
    this.reads.push(avatarId);
    this.#reading += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#reading);
    await Promise.resolve();
    this.#reading -= 1;
    const error = this.fails.get(avatarId);
    if (error !== undefined) throw error;
    return film();
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a film is read once for all who wear it, one film at a time, and each is told once it is there', async () => {
  const shelf = new Shelf(2);
  const { films, reads } = shelf;
  const told: string[] = [];
  const [one, two] = [films.hold(lin, () => told.push('one')), films.hold(lin, () => told.push('two'))];
  const other = films.hold(wang, () => told.push('other'));
  expect([one.film, told]).toEqual([null, []]);
  await settle();
  expect(told).toEqual(['one', 'two', 'other']);
  expect(one.film).not.toBeNull();
  expect(two.film).toBe(one.film);
  expect(other.film).not.toBe(one.film);
  const late = films.hold(lin, () => told.push('late'));
  expect(late.film).toBe(one.film);
  await settle();
  expect(told).toHaveLength(3);
  expect(reads).toEqual([lin, wang]);
  expect(shelf.mostAtOnce).toBe(1);
});

test('who let go before a film was there is not told', async () => {
  const { films } = new Shelf(2);
  const told = vi.fn();
  films.hold(lin, told)[Symbol.dispose]();
  await settle();
  expect(told).not.toHaveBeenCalled();
});

test('a film stays for a while after the last who wore it, then it is let go', async () => {
  const { films, reads } = new Shelf(2);
  const hold = films.hold(lin, ignore);
  await vi.advanceTimersByTimeAsync(10 * keptMs);
  hold[Symbol.dispose]();
  await vi.advanceTimersByTimeAsync(keptMs / 2);
  films.hold(lin, ignore)[Symbol.dispose]();
  await vi.advanceTimersByTimeAsync(keptMs / 2);
  films.hold(lin, ignore)[Symbol.dispose]();
  expect(reads).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2 * keptMs);
  films.hold(lin, ignore);
  expect(reads).toHaveLength(1);
  await settle();
  expect(reads).toHaveLength(2);
});

test('no more films than there is room for: the one unused for longest makes room, one that is worn never does', async () => {
  const { films, reads } = new Shelf(2);
  const [first, second] = [films.hold(lin, ignore), films.hold(wang, ignore)];
  await settle();
  const told = vi.fn();
  const third = films.hold(zhao, told);
  await settle();
  expect(third.film).toBeNull();
  expect(films.health()).toMatchObject({ status: 'degraded', reason: expect.stringContaining('MEDIA_WORKERS') });
  second[Symbol.dispose]();
  await vi.advanceTimersByTimeAsync(keptMs / 4);
  expect(told).toHaveBeenCalledOnce();
  expect(third.film).not.toBeNull();
  expect(first.film).not.toBeNull();
  expect(films.health()).toMatchObject({ status: 'ok', reason: null });
  expect(reads).toEqual([lin, wang, zhao]);
});

test.each([
  ['missing', /not on this node/],
  ['damaged', /damaged/],
  ['other_version', /another version/],
  ['EIO', /see the log/],
])('a film that is %s is told with what to do, and tried again later for all who wear it', async (code, reason) => {
  const { films, reads, fails, defects } = new Shelf(2);
  fails.set(lin, new Unreadable(code));
  const told = vi.fn();
  const hold = films.hold(lin, told);
  await settle();
  expect(hold.film).toBeNull();
  expect(films.health()).toMatchObject({ status: 'degraded', reason: expect.stringMatching(reason) });
  expect(films.health().reason).toContain(lin);
  expect(defects).toHaveLength(1);
  fails.clear();
  films.hold(lin, ignore);
  await settle();
  expect(reads).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(30_000);
  films.hold(lin, ignore);
  await settle();
  expect(told).toHaveBeenCalledOnce();
  expect(hold.film).not.toBeNull();
  expect(films.health()).toMatchObject({ status: 'ok' });
});

test('lessons that come and go do not put off the next try', async () => {
  const { films, reads, fails } = new Shelf(2);
  fails.set(lin, new Unreadable('missing'));
  films.hold(lin, ignore);
  for (let seconds = 0; seconds < 40; seconds += 10) {
    films.hold(lin, ignore)[Symbol.dispose]();
    await vi.advanceTimersByTimeAsync(10_000);
  }
  films.hold(lin, ignore);
  await settle();
  expect(reads).toHaveLength(2);
});

test('a failure, or a listener that throws, keeps no other film from being read', async () => {
  const { films, fails, defects } = new Shelf(3);
  fails.set(lin, new Unreadable('damaged'));
  films.hold(lin, ignore);
  films.hold(wang, () => {
    throw new Error('no encoder');
  });
  const hold = films.hold(zhao, ignore);
  await settle();
  expect(hold.film).not.toBeNull();
  expect(defects).toHaveLength(2);
});
