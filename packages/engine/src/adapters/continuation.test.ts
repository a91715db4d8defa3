import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Continuation } from './continuation.ts';

function heard(prefix: string, chunks: readonly string[]): string {
  const continuation = new Continuation(prefix);
  return chunks.map((chunk) => continuation.add(chunk)).join('') + continuation.end();
}

test.each([
  { name: 'nothing before', prefix: '', chunks: [' One', ' two.'], expected: ' One two.' },
  { name: 'the space is already there', prefix: 'One. ', chunks: [' Two', '.'], expected: 'Two.' },
  { name: 'the space is missing', prefix: 'One', chunks: [' two'], expected: ' two' },
  { name: 'a model that starts over', prefix: 'One. ', chunks: ['On', 'e.', ' Two.'], expected: 'Two.' },
  { name: 'a model that starts over and adds nothing', prefix: 'One. ', chunks: ['One.'], expected: '' },
  { name: 'words that begin alike', prefix: 'One. ', chunks: ['On', 'ly two.'], expected: 'Only two.' },
  { name: 'an end that looks like the beginning', prefix: 'One. ', chunks: ['On'], expected: 'On' },
  { name: 'white space alone', prefix: 'One. ', chunks: [' ', '\n'], expected: '' },
  { name: 'nothing more', prefix: 'One. ', chunks: [], expected: '' },
])('$name', ({ prefix, chunks, expected }) => {
  expect(heard(prefix, chunks)).toBe(expected);
});

test('chunking changes nothing', () => {
  const letter = fc.constantFrom('a', 'b', ' ', '。');
  fc.assert(
    fc.property(
      fc.string({ unit: letter, maxLength: 6 }),
      fc.array(fc.string({ unit: letter, maxLength: 4 }), { maxLength: 6 }),
      (prefix, chunks) => {
        expect(heard(prefix, chunks)).toBe(heard(prefix, [chunks.join('')]));
      },
    ),
    { numRuns: 1_000 },
  );
});
