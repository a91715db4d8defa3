import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitDocument } from './passages.ts';

const documentId = '0190f5fe-7c00-7a00-8000-000000000001';
const split = (text: string, mime: 'text/plain' | 'text/markdown' = 'text/markdown') =>
  splitDocument({ documentId, title: 'T', mime, text });
const texts = (text: string, mime: 'text/plain' | 'text/markdown' = 'text/markdown') => split(text, mime).map((passage) => passage.text);
const sentence = (n: number) => `Sentence number ${n} tells a little about light and about water.`;
const long = Array.from({ length: 40 }, (_, n) => sentence(n)).join(' ');

describe('passages', () => {
  test('carry the number, title and hash by which an auditor finds them again', () => {
    expect(split('# One\n\nFirst.\n\n# Two\n\nSecond.\n')).toEqual([
      { passageId: `${documentId}#0`, documentId, title: 'T', text: '# One\n\nFirst.', contentHash: hashOf('# One\n\nFirst.') },
      { passageId: `${documentId}#1`, documentId, title: 'T', text: '# Two\n\nSecond.', contentHash: hashOf('# Two\n\nSecond.') },
    ]);
  });

  test('a heading without text of its own stays with what follows', () => {
    expect(texts('# Course\n\n## Part\n\nText.\n\n## Empty\n')).toEqual(['# Course\n\n## Part\n\nText.', '## Empty']);
  });

  test('a "#" inside a code block is no heading', () => {
    expect(texts('# Code\n\n```sh\n# comment\nls\n```\n')).toHaveLength(1);
  });

  test('plain text has no headings', () => {
    expect(texts('# not a heading\nText.\n# nor this\nMore.', 'text/plain')).toHaveLength(1);
  });

  test('a long section is cut between sentences into passages of about equal length', () => {
    const passages = texts(long);
    expect(passages.join(' ')).toBe(long);
    expect(passages.every((passage) => passage.endsWith('water.'))).toBe(true);
    const lengths = passages.map((passage) => passage.length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(1_000);
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThan(200);
  });

  test('a line that simply wraps ends no sentence', () => {
    const wrapped = long.replaceAll(' about water', '\nabout water');
    expect(texts(wrapped, 'text/plain').every((passage) => passage.endsWith('water.'))).toBe(true);
  });

  test('Chinese is cut between sentences too', () => {
    const passages = texts('光沿直线传播，遇到障碍物会被反射。水往低处流，也会蒸发成水蒸气！'.repeat(60));
    expect(passages.length).toBeGreaterThan(1);
    expect(passages.every((passage) => /[。！]$/.test(passage) && passage.length <= 1_000)).toBe(true);
  });

  test.each(['', '  \n\n ', '---\n\n***', '\ufeff'])('%j has none', (text) => {
    expect(split(text)).toEqual([]);
  });

  test('line ends of Windows and a byte order mark change nothing', () => {
    const text = '# One\n\nFirst line\nsecond line.\n\n# Two\n\nMore.';
    expect(split(`\ufeff${text.replaceAll('\n', '\r\n')}`)).toEqual(split(text));
  });

  test('for any text: the same cuts every time, nothing lost but white space, none much too long', () => {
    const piece = fc.constantFrom('# H\n', '\n\n', '\n', ' ', sentence(1), '光合作用。', '```\n', '- item\n', 'x'.repeat(1_200), '😀');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('');
        const passages = texts(text);
        expect(texts(text)).toEqual(passages);
        const bare = (value: string) => value.replaceAll(/\s/g, '');
        const words = (value: string) => bare(value).replaceAll(/[^\p{L}\p{N}]/gu, '');
        expect(words(passages.join(''))).toBe(words(text));
        let at = 0;
        for (const passage of passages) {
          const found = bare(text).indexOf(bare(passage), at);
          expect(found).toBeGreaterThanOrEqual(at);
          at = found + bare(passage).length;
          expect(passage.length).toBeLessThanOrEqual(2_300);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('the bundled course keeps its sections whole', () => {
    for (const language of ['en', 'zh']) {
      const text = readFileSync(new URL(`../../../../course/${language}/light-and-the-blue-sky.md`, import.meta.url), 'utf8');
      expect(texts(text).every((passage) => passage.includes('## '))).toBe(true);
    }
  });
});

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
