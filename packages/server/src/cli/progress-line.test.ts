import { expect, test } from 'vitest';
import { ProgressLine } from './progress-line.ts';

function shown(isTTY: boolean, use: (line: ProgressLine) => void): string {
  let text = '';
  use(
    new ProgressLine({
      isTTY,
      write(piece: Uint8Array | string) {
        text += piece;
        return true;
      },
    }),
  );
  return text;
}

const say = (line: ProgressLine) => {
  for (const text of ['queued: 12 before it', 'queued: 12 before it', 'building']) line.show(text);
  line.end();
  line.end();
};

test('a terminal sees one line, written over only when it changes, and nothing of what was longer before', () => {
  expect(shown(true, say)).toBe(`\rqueued: 12 before it\r${'building'.padEnd(20)}\n`);
});

test('a file sees nothing, and nobody an empty line', () => {
  expect(shown(false, say)).toBe('');
  expect(shown(true, (line) => line.end())).toBe('');
});
