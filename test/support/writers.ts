import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { verifyChain } from '../../packages/server/src/app/chain.ts';
import { type AppendRequest, type EventStore, type StoredEvent, StoreUnavailable } from '../../packages/server/src/app/ports.ts';
import { command, readAll } from './drafts.ts';

/** Tries of one command while the log is away: 60 s. */
const maxTries = 1_200;

export interface Writers {
  /** Answered as stored, in the order of answers. */
  readonly acked: readonly AppendRequest[];
  /** Tries whose outcome was unknown. */
  readonly unknown: () => number;
  /** Resolves once this many were answered. */
  until(count: number): Promise<void>;
  /** Lets each finish the command it has begun. */
  stop(): Promise<void>;
}

/** Each writes to a stream of its own, one event after the other, and repeats a command until its outcome is known. */
export function startWriters(store: EventStore, name: string, count: number): Writers {
  const acked: AppendRequest[] = [];
  let unknown = 0;
  let stopping = false;

  async function once(request: AppendRequest): Promise<void> {
    for (let tries = 0; tries < maxTries; tries += 1) {
      try {
        const { status } = await store.append(request);
        if (status !== 'appended' && status !== 'duplicate') throw new Error(`a writer alone on its stream got ${status}`);
        acked.push(request);
        return;
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        unknown += 1;
        await pause(50);
      }
    }
    throw new Error('the log did not come back');
  }

  async function write(writer: number): Promise<void> {
    for (let revision = 0; !stopping; revision += 1) {
      await once(command(`${name}-${writer}`, revision === 0 ? 'none' : revision));
      // A store in memory has answered without anybody else having had a turn.
      await nextTurn();
    }
  }

  const running = Promise.all(Array.from({ length: count }, (_, writer) => write(writer)));
  // Seen by whoever stops them.
  running.catch(() => undefined);
  return {
    acked,
    unknown: () => unknown,
    async until(wanted) {
      await expect.poll(() => acked.length, { timeout: 60_000, interval: 10 }).toBeGreaterThanOrEqual(wanted);
    },
    async stop() {
      stopping = true;
      await running;
    },
  };
}

/** What must hold of every log: dense positions and revisions, whole chains, and everything that was answered, once. */
export async function expectSoundLog(store: EventStore, acked: readonly AppendRequest[]): Promise<readonly StoredEvent[]> {
  const events = await readAll(store);
  expect(events.map(({ position }) => position)).toEqual(events.map((_, i) => i + 1));
  const ids = new Set(events.map(({ id }) => id));
  expect(ids.size).toBe(events.length);
  expect(acked.flatMap((request) => request.events).filter(({ id }) => !ids.has(id))).toEqual([]);
  for (const [stream, own] of Map.groupBy(events, (event) => event.stream)) {
    expect(await verifyChain(stream, own)).toMatchObject({ verdict: 'intact', events: own.length });
  }
  return events;
}
