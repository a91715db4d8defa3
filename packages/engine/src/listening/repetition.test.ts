import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endsInRepetition, mostTokens, withoutRepetition } from './repetition.ts';

const words = (text: string) => text.split(' ');

test('a phrase said for the third time running is a loop, and is said once', () => {
  const loop = words('plants make sugar in the process and so in the process and so in the process and so');
  expect(endsInRepetition(loop)).toBe(true);
  expect(withoutRepetition(loop).join(' ')).toBe('plants make sugar in the process and so');
});

test('what people do repeat is left alone', () => {
  for (const said of ['no no no', 'very very very far', 'bye bye', 'I know I know', 'ha ha ha ha ha']) {
    expect(withoutRepetition(words(said)).join(' ')).toBe(said);
  }
});

test('a second of audio holds so many tokens, and the shortest a few', () => {
  expect(mostTokens(16_000, 6.5)).toBe(7);
  expect(mostTokens(800, 6.5)).toBe(4);
});

test('what comes out is a beginning of what went in, all of it unless it ends in a loop', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { maxLength: 60 }), (tokens) => {
      const kept = withoutRepetition(tokens);
      expect(tokens.slice(0, kept.length)).toEqual(kept);
      if (!endsInRepetition(tokens)) expect(kept).toEqual(tokens);
    }),
  );
});
