import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareLogs, copyLog, LogsDiffer } from '../../packages/server/src/app/copy-log.ts';
import type { EventStore } from '../../packages/server/src/app/ports.ts';
import { command, draft, readAll } from '../support/drafts.ts';
import { type OpenStore, openStore, type StoreKind } from '../support/stores.ts';
import { expectSoundLog, startWriters } from '../support/writers.ts';

const directions: readonly (readonly [StoreKind, StoreKind])[] = [
  ['PGlite', 'KurrentDB'],
  ['KurrentDB', 'PGlite'],
];

/** A target that stops taking anything after so many appends. */
function dyingAfter(store: EventStore, appends: number): EventStore {
  let left = appends;
  return {
    append: (request) => (left-- > 0 ? store.append(request) : Promise.reject(new Error('killed'))),
    readStream: (...given) => store.readStream(...given),
    readAll: (range) => store.readAll(range),
    head: () => store.head(),
    listStreams: (range) => store.listStreams(range),
    onAppended: (wake) => store.onAppended(wake),
    close: () => store.close(),
  };
}

describe.skipIf(process.env['KURRENTDB_URL'] !== undefined).each(directions)('a log copied from %s to %s', (source, target) => {
  let from: OpenStore;
  let to: OpenStore;
  beforeAll(async () => {
    [from, to] = await Promise.all([openStore(source), openStore(target)]);
  });
  afterAll(async () => {
    await Promise.all([from, to].map((open) => open[Symbol.asyncDispose]()));
  });

  test('is the same, event by event, also when the copying was broken off in between', async () => {
    const writers = startWriters(from.store, 'copied', 5);
    await writers.until(60);
    await writers.stop();
    await from.store.append(
      command('several', 'none', [draft({ text: 'a\u0000b 你好' }), draft({}, { sealed: new Uint8Array([0, 255]) }), draft({ n: 1e308 })]),
    );
    await expect(copyLog(from.store, dyingAfter(to.store, 20), () => undefined)).rejects.toThrow('killed');
    const told: number[] = [];
    const report = await copyLog(from.store, to.store, (position) => told.push(position));
    const events = await readAll(from.store);
    expect(report).toMatchObject({ events: events.length, streams: 6 });
    expect(told.at(-1)).toBe(events.length);
    expect(await compareLogs(to.store, from.store)).toEqual(report);
    await expectSoundLog(to.store, []);
    expect((await readAll(to.store)).map(({ payload, sealed, meta }) => ({ payload, sealed, meta }))).toEqual(
      events.map(({ payload, sealed, meta }) => ({ payload, sealed, meta })),
    );
  });

  test('goes on where the source went on, and is refused where the target did', async () => {
    await copyLog(from.store, to.store, () => undefined);
    await from.store.append(command('more', 'none'));
    const { events } = await copyLog(from.store, to.store, () => undefined);
    await to.store.append(command('of-its-own', 'none'));
    await expect(copyLog(from.store, to.store, () => undefined)).rejects.toThrow(new LogsDiffer(events + 1));
  });
});
