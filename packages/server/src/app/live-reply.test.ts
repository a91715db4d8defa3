import { TurnId } from '@virtual-tutor/schemas';
import { expect, test } from 'vitest';
import { LiveReply } from './live-reply.ts';

const turnId = TurnId.parse('11111111-1111-5111-8111-111111111111');

function reply() {
  const heard: number[] = [];
  return { live: new LiveReply(turnId, 1, (index) => heard.push(index)), heard };
}

test('a sentence is heard when its last piece was shown, and is told once', () => {
  const { live, heard } = reply();
  live.push({ index: 0, text: 'One ', madeAtMs: 0 });
  live.shown({ revision: 0, ordinal: 1 });
  live.push({ index: 0, text: 'two. ', madeAtMs: 0 });
  live.closed(0);
  expect(heard).toEqual([]);
  live.shown({ revision: 0, ordinal: 2 });
  live.shown({ revision: 0, ordinal: 2 });
  expect(heard).toEqual([0]);
});

test('a reader that was shown the committed sentence heard it, however late it came', () => {
  const { live, heard } = reply();
  live.push({ index: 0, text: 'One. ', madeAtMs: 0 });
  live.closed(0);
  live.committed(0, 7);
  live.shown({ revision: 6, ordinal: 0 });
  expect(heard).toEqual([]);
  live.shown({ revision: 7, ordinal: 0 });
  expect(heard).toEqual([0]);
});

test('pieces of one sentence are joined, those already in the log are left out', () => {
  const { live } = reply();
  live.push({ index: 0, text: 'One', madeAtMs: 0 });
  live.push({ index: 0, text: '. ', madeAtMs: 0 });
  live.closed(0);
  live.push({ index: 1, text: 'Two', madeAtMs: 0 });
  expect(live.next(0, 5)).toEqual({ index: 0, text: 'One. ', madeAtMs: 0, ordinal: 2 });
  expect(live.next(1, 5)).toEqual({ index: 0, text: '. ', madeAtMs: 0, ordinal: 2 });
  live.committed(0, 6);
  expect(live.next(0, 5)).toEqual({ index: 0, text: 'One. ', madeAtMs: 0, ordinal: 2 });
  expect(live.next(0, 6)).toEqual({ index: 1, text: 'Two', madeAtMs: 0, ordinal: 3 });
  expect(live.next(3, 6)).toBeNull();
});

test('what was shown ends in the middle of the sentence that was cut', () => {
  const { live } = reply();
  live.push({ index: 0, text: 'One. ', madeAtMs: 0 });
  live.closed(0);
  live.push({ index: 1, text: 'Two ', madeAtMs: 0 });
  live.push({ index: 1, text: 'three.', madeAtMs: 0 });
  live.shown({ revision: 0, ordinal: 2 });
  expect(live.cutFrom(0)).toEqual({ partial: 'One. Two ', heardMs: null });
  expect(live.cutFrom(1)).toEqual({ partial: 'Two ', heardMs: null });
});

test('a resumed reply settles when the inherited sentences were shown too', async () => {
  const { live, heard } = reply();
  live.inherited(0, { text: 'One. ', revision: 4 });
  live.push({ index: 1, text: 'Two.', madeAtMs: 0 });
  live.closed(1);
  live.generated();
  live.shown({ revision: 3, ordinal: 1 });
  expect(heard).toEqual([]);
  live.shown({ revision: 4, ordinal: 1 });
  await live.settled;
  expect(heard).toEqual([0, 1]);
});
