import { expect, test } from 'vitest';
import { Emitter } from './emitter.ts';

interface Events {
  word: string;
}

function emitterWithLog() {
  const thrown: unknown[] = [];
  const heard: string[] = [];
  const emitter = new Emitter<Events>((error) => thrown.push(error));
  return { emitter, heard, thrown, hear: (word: string) => void heard.push(word) };
}

test('a listener that throws is reported and disturbs nobody else', () => {
  const { emitter, heard, thrown, hear } = emitterWithLog();
  const failure = new Error('oops');
  emitter.on('word', () => {
    throw failure;
  });
  emitter.on('word', hear);
  emitter.emit('word', 'one');
  expect(heard).toEqual(['one']);
  expect(thrown).toEqual([failure]);
});

test('a listener added twice is told twice and removed one at a time', () => {
  const { emitter, heard, hear } = emitterWithLog();
  const remove = emitter.on('word', hear);
  emitter.on('word', hear);
  emitter.emit('word', 'one');
  remove();
  remove();
  emitter.emit('word', 'two');
  expect(heard).toEqual(['one', 'one', 'two']);
});

test('a signal takes a listener off, and one already aborted never puts it on', () => {
  const { emitter, heard, hear } = emitterWithLog();
  const controller = new AbortController();
  emitter.on('word', hear, controller.signal);
  controller.abort();
  emitter.on('word', hear, controller.signal);
  emitter.emit('word', 'one');
  expect(heard).toEqual([]);
});

test('a listener that takes another one off in the middle does not break the round', () => {
  const { emitter, heard, hear } = emitterWithLog();
  let remove: () => void = () => {};
  emitter.on('word', () => remove());
  remove = emitter.on('word', hear);
  emitter.emit('word', 'one');
  emitter.emit('word', 'two');
  expect(heard).toEqual(['one']);
});
