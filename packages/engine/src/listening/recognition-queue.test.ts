import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecognitionQueue, type Waiting } from './recognition-queue.ts';

interface Item extends Waiting {
  readonly id: number;
}

function queueOf(...items: readonly (readonly [owner: string, kind: Item['kind']])[]) {
  const queue = new RecognitionQueue<Item>();
  const dropped = items.flatMap(([owner, kind], id) => queue.push({ id, owner, kind }));
  const taken: number[] = [];
  for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item.id);
  return { dropped: dropped.map(({ id }) => id), taken };
}

test('finals go before partials', () => {
  expect(queueOf(['a', 'partial'], ['b', 'final'], ['c', 'partial']).taken).toEqual([1, 0, 2]);
});

test('a newer partial and the final take the place of an older partial', () => {
  expect(queueOf(['a', 'partial'], ['a', 'partial'], ['a', 'final'])).toEqual({ dropped: [0, 1], taken: [2] });
});

test('owners take turns, however much one of them says', () => {
  expect(queueOf(['a', 'final'], ['a', 'final'], ['b', 'final'], ['c', 'final']).taken).toEqual([0, 2, 3, 1]);
});

test('one owner has two finals waiting at most', () => {
  expect(queueOf(['a', 'final'], ['a', 'final'], ['a', 'final'])).toEqual({ dropped: [2], taken: [0, 1] });
});

test('what was removed is not taken', () => {
  const queue = new RecognitionQueue<Item>();
  const item = { id: 0, owner: 'a', kind: 'final' } as const;
  queue.push(item);
  queue.remove(item);
  expect(queue.take()).toBeUndefined();
});

test('everything is taken or dropped, once, and never more than three wait for one owner', () => {
  const anyItems = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom<Item['kind']>('partial', 'final')), { maxLength: 40 });
  fc.assert(
    fc.property(anyItems, (items) => {
      const { dropped, taken } = queueOf(...items);
      expect([...dropped, ...taken].sort((a, b) => a - b)).toEqual(items.map((_, id) => id));
      expect(taken.length).toBeLessThanOrEqual(9);
    }),
  );
});
