import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyChain } from '../../packages/server/src/app/chain.ts';
import type { EventStore } from '../../packages/server/src/app/ports.ts';
import { command, draft, readAll, stream } from '../support/drafts.ts';
import { positionsUntil } from '../support/followers.ts';
import { describeOn, type OpenStore, openStore, storeKinds } from '../support/stores.ts';
import { startWriters } from '../support/writers.ts';

const whole = { after: 0, limit: 1000 };

for (const kind of storeKinds)
  describeOn(kind)(`the event log on ${kind}`, () => {
    let open: OpenStore;
    let store: EventStore;
    beforeAll(async () => {
      open = await openStore(kind);
      store = open.store;
    });
    afterAll(async () => {
      await open[Symbol.asyncDispose]();
    });

    test('positions are dense and rise in the order of commit (invariant 1)', async () => {
      await Promise.all(Array.from({ length: 40 }, (_, i) => store.append(command(`dense-${i}`, 'none', [draft({ i }), draft({ i })]))));
      const events = await readAll(store, 7);
      expect(events.map(({ position }) => position)).toEqual(events.map((_, i) => i + 1));
      expect(await store.head()).toBe(events.length);
    });

    test('revisions of a stream are dense from 1 (invariant 2)', async () => {
      await store.append(command('revisions', 'none', [draft({ n: 1 }), draft({ n: 2 })]));
      await store.append(command('revisions', 2, [draft({ n: 3 })]));
      const events = await store.readStream(stream('revisions'), whole);
      expect(events.map(({ revision, payload }) => [revision, payload['n']])).toEqual([
        [1, 1],
        [2, 2],
        [3, 3],
      ]);
    });

    test('of many appends at one revision exactly one wins, the others write nothing (invariant 3)', async () => {
      const before = await store.head();
      const results = await Promise.all(Array.from({ length: 50 }, () => store.append(command('race', 'none'))));
      expect(results.filter(({ status }) => status === 'appended')).toHaveLength(1);
      expect(results.filter(({ status }) => status === 'conflict')).toHaveLength(49);
      expect(await store.head()).toBe(before + 1);
    });

    test('a loser leaves no stream behind (invariant 3)', async () => {
      expect(await store.append(command('loser', 5))).toEqual({ status: 'conflict', actualRevision: 0 });
      const found = await store.listStreams({ prefix: 'session-loser', after: '', limit: 10 });
      expect(found).toEqual([]);
    });

    test('conflicts among others do not stop those others (invariants 4 and 39)', async () => {
      await store.append(command('taken', 'none'));
      const mixed = Array.from({ length: 20 }, (_, i) => command(i % 2 === 0 ? 'taken' : `free-${i}`, 'none'));
      const results = await Promise.all(mixed.map((one) => store.append(one)));
      expect(results.map(({ status }) => status)).toEqual(mixed.map((_, i) => (i % 2 === 0 ? 'conflict' : 'appended')));
    });

    test('a command of several events is all there or not at all (invariant 4)', async () => {
      await store.append(command('atomic', 'none'));
      await store.append(command('atomic', 7, [draft(), draft(), draft()]));
      expect(await store.readStream(stream('atomic'), whole)).toHaveLength(1);
    });

    test('what is read is what was written, to the last bit (invariant 8)', async () => {
      const payload = {
        unicode: 'Grüße 你好 👩‍🚀 \u{1F600}',
        control: 'a\u0000b\u0007',
        integers: [2 ** 53 - 1, -(2 ** 53 - 1), 0],
        floats: [1e308, 5e-324, 0.1, -1.5, 2 ** 53 + 2],
        empty: [[], {}, '', null],
        large: 'x'.repeat(1_000_000),
        nested: { b: 1, a: { d: [true, false] } },
      };
      const sealed = new Uint8Array([0, 1, 2, 255]);
      const keyId = randomUUID();
      await store.append(command('bits', 'none', [draft(payload, { sealed, keyId })]));
      const [event] = await store.readStream(stream('bits'), whole);
      expect(event?.payload).toEqual(payload);
      expect(Buffer.from(event?.sealed ?? [])).toEqual(Buffer.from(sealed));
      expect(event?.keyId).toBe(keyId);
    });

    test('minus zero is written as zero, as RFC 8785 has it (invariant 8)', async () => {
      await store.append(command('zero', 'none', [draft({ zero: -0 })]));
      const [event] = await store.readStream(stream('zero'), whole);
      expect(Object.is(event?.payload['zero'], 0)).toBe(true);
      expect(await verifyChain(stream('zero'), event === undefined ? [] : [event])).toMatchObject({ verdict: 'intact' });
    });

    test('half a character is refused, alone: nothing of it is stored and its neighbours are (invariants 8 and 39)', async () => {
      const results = await Promise.allSettled([
        store.append(command('half', 'none', [draft({ half: '\ud800' })])),
        store.append(command('neighbour', 'none')),
      ]);
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
      expect(await store.readStream(stream('half'), whole)).toEqual([]);
    });

    test('the same command again has one effect and the same answer (invariant 10)', async () => {
      const one = command('again', 'none', [draft({ a: 1 }), draft({ a: 2 })]);
      const first = await store.append(one);
      const again = await Promise.all([store.append(one), store.append(one), store.append(one)]);
      for (const result of again) expect(result).toEqual({ ...first, status: 'duplicate' });
      expect(await store.readStream(stream('again'), whole)).toHaveLength(2);
    });

    test('the same command many times at once has one effect (invariant 10)', async () => {
      const one = command('at-once', 'none');
      const results = await Promise.all(Array.from({ length: 20 }, () => store.append(one)));
      expect(results.filter(({ status }) => status === 'appended')).toHaveLength(1);
      expect(results.filter(({ status }) => status === 'duplicate')).toHaveLength(19);
    });

    test('the same command is the same after its stream moved on (invariant 10)', async () => {
      const one = command('moved', 'none');
      const first = await store.append(one);
      await store.append(command('moved', 1));
      expect(await store.append(one)).toEqual({ ...first, status: 'duplicate' });
    });

    test('a command id cannot be used for anything else (invariant 11)', async () => {
      const one = command('reused', 'none', [draft({ a: 1 })]);
      const { commandId } = one;
      await store.append(one);
      expect(await store.append({ ...command('reused', 1, [draft({ a: 2 })]), commandId })).toEqual({ status: 'command_reused' });
      expect(await store.append({ ...command('elsewhere', 'none', [draft({ a: 1 })]), commandId })).toEqual({ status: 'command_reused' });
      expect(await store.readStream(stream('elsewhere'), whole)).toEqual([]);
    });

    test('any revision will do for those who say so', async () => {
      await store.append(command('any', 'any'));
      expect(await store.append(command('any', 'any'))).toMatchObject({ status: 'appended', firstRevision: 2 });
    });

    test('a reader that starts anywhere, with any page size, sees every event once and in order (invariant 14)', async () => {
      const events = await readAll(store);
      for (const limit of [1, 2, 10, 500]) expect((await readAll(store, limit)).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
      for (const after of [0, 1, Math.floor(events.length / 2), events.length]) {
        const page = await store.readAll({ after, limit: 1000 });
        expect(page.map(({ position }) => position)).toEqual(events.slice(after).map(({ position }) => position));
      }
    });

    test('readers with pages of any size that begin while everybody writes see every event once, in order (invariants 13, 14 and 16)', async () => {
      const writers = startWriters(store, 'followed', 8);
      const last = Promise.withResolvers<number>();
      const readers: Promise<{ readonly after: number; readonly seen: readonly number[] }>[] = [];
      for (const [nth, limit] of [1, 2, 10, 500].entries()) {
        await writers.until(writers.acked.length + 15);
        const after = nth % 2 === 0 ? await store.head() : 0;
        readers.push(positionsUntil(store, { after, limit, last: last.promise }).then((seen) => ({ after, seen })));
      }
      await writers.until(writers.acked.length + 15);
      await writers.stop();
      last.resolve(await store.head());
      const positions = (await readAll(store)).map(({ position }) => position);
      for (const { after, seen } of await Promise.all(readers)) expect(seen).toEqual(positions.filter((position) => position > after));
    });

    test('an append wakes those who wait', async () => {
      const woken = Promise.withResolvers<void>();
      const stop = store.onAppended(() => woken.resolve());
      await store.append(command('wake', 'none'));
      await woken.promise;
      stop();
    });

    test('five thousand who wait are all woken, those who left are not (invariant 19)', async () => {
      let left = 0;
      const leave = store.onAppended(() => {
        left += 1;
      });
      leave();
      const waiting = Array.from({ length: 5_000 }, () => Promise.withResolvers<void>());
      const stops = waiting.map(({ resolve }) => store.onAppended(resolve));
      await store.append(command('wake-many', 'none'));
      await Promise.all(waiting.map(({ promise }) => promise));
      for (const stop of stops) stop();
      expect(left).toBe(0);
    });

    test('streams are listed by name', async () => {
      for (const name of ['list-b', 'list-a', 'list-c']) await store.append(command(name, 'none'));
      const first = await store.listStreams({ prefix: 'session-list-', after: '', limit: 2 });
      expect(first.map((found) => found.stream)).toEqual(['session-list-a', 'session-list-b']);
      const rest = await store.listStreams({ prefix: 'session-list-', after: 'session-list-b', limit: 2 });
      expect(rest).toEqual([{ stream: 'session-list-c', revision: 1 }]);
    });

    test('the chain of every stream holds, and names what was done to it', async () => {
      await store.append(command('chain', 'none', [draft({ n: 1 }), draft({ n: 2 }), draft({ n: 3 }, { sealed: new Uint8Array([7]) })]));
      const events = await store.readStream(stream('chain'), whole);
      expect(await verifyChain(stream('chain'), events)).toMatchObject({ verdict: 'intact', events: 3 });
      const [one, two, three] = events;
      if (one === undefined || two === undefined || three === undefined) throw new Error('three events were appended');
      const changed = { ...two, payload: { n: 9 } };
      expect(await verifyChain(stream('chain'), [one, changed, three])).toMatchObject({ verdict: 'broken', revision: 2 });
      const resealed = { ...three, sealed: new Uint8Array([8]) };
      expect(await verifyChain(stream('chain'), [one, two, resealed])).toMatchObject({ verdict: 'broken', revision: 3 });
      expect(await verifyChain(stream('chain'), [one, three])).toMatchObject({ verdict: 'broken', revision: 2 });
      expect(await verifyChain(stream('chain'), [two, one, three])).toMatchObject({ verdict: 'broken', revision: 1 });
      expect(await verifyChain(stream('other'), events)).toMatchObject({ verdict: 'broken', revision: 1 });
    });
  });
