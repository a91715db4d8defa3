import { describe, expect, test } from 'vitest';
import { headingOf, parseInlines, parseMarkdown, spokenText } from './markdown.ts';

const text = (value: string) => ({ type: 'text', text: value });

describe('a reply', () => {
  test('is cut into paragraphs at blank lines', () => {
    expect(parseMarkdown('One.\nStill one.\n\nTwo.')).toEqual([
      { type: 'paragraph', inlines: [text('One.\nStill one.')] },
      { type: 'paragraph', inlines: [text('Two.')] },
    ]);
  });

  test('has lists, numbered ones with their first number', () => {
    expect(parseMarkdown('Look:\n- a\n- b\n3. c\n4. d')).toEqual([
      { type: 'paragraph', inlines: [text('Look:')] },
      { type: 'list', ordered: false, start: 1, items: [[text('a')], [text('b')]] },
      { type: 'list', ordered: true, start: 3, items: [[text('c')], [text('d')]] },
    ]);
  });

  test('keeps code as it is, even while the closing fence is still to come', () => {
    expect(parseMarkdown('```js\nlet **a** = 1;')).toEqual([{ type: 'code', text: 'let **a** = 1;' }]);
  });

  test('shows headings and quotes', () => {
    expect(parseMarkdown('## Light\n> a wave')).toEqual([
      { type: 'heading', inlines: [text('Light')] },
      { type: 'quote', inlines: [text('a wave')] },
    ]);
  });

  test('never turns markup into anything but text', () => {
    expect(parseMarkdown('<img src=x onerror=alert(1)>')).toEqual([{ type: 'paragraph', inlines: [text('<img src=x onerror=alert(1)>')] }]);
  });

  test('a decimal number at the start of a line is not a list', () => {
    expect(parseMarkdown('3.14 is pi')).toEqual([{ type: 'paragraph', inlines: [text('3.14 is pi')] }]);
  });
});

describe('inline marks', () => {
  test.each([
    ['a **b** c', [text('a '), { type: 'strong', inlines: [text('b')] }, text(' c')]],
    ['*b* and `x*y*z`', [{ type: 'emphasis', inlines: [text('b')] }, text(' and '), { type: 'code', text: 'x*y*z' }]],
    ['blue.[1] red[2, 3]', [text('blue.'), { type: 'citations', numbers: [1] }, text(' red'), { type: 'citations', numbers: [2, 3] }]],
    ['蓝光[1、2]。', [text('蓝光'), { type: 'citations', numbers: [1, 2] }, text('。')]],
    ['2 * 3 * 4', [text('2 * 3 * 4')]],
    ['a **b', [text('a **b')]],
    ['[x] [1', [text('[x] [1')]],
  ])('%s', (source, inlines) => {
    expect(parseInlines(source)).toEqual(inlines);
  });
});

test.each([
  ['## Why *blue*?\nIt is.', 'Why blue?'],
  ['Text.\n# Later', 'Later'],
  ['Issue #1', null],
])('the heading of %j is %j', (text, heading) => {
  expect(headingOf(text)).toBe(heading);
});

test('a sentence is read out without marks and numbers', () => {
  expect(spokenText('**Blue** light scatters most.[1] \n')).toBe('Blue light scatters most.');
});
