import { PassageId } from '@virtual-tutor/schemas';
import { expect, test } from 'vitest';
import { citationsIn } from './citations.ts';
import type { Passage } from './ports.ts';

const documentId = '0190f5fe-7c00-7a00-8000-000000000001';
const id = (n: number) => PassageId.parse(`${documentId}#${n}`);
const passages: readonly Passage[] = [4, 5, 6].map((n) => ({ passageId: id(n), documentId, title: 'T', text: 'x', contentHash: '' }));

test.each([
  ['Blue scatters most. [1]', [4]],
  ['Both say so [2][3].', [5, 6]],
  ['[3, 1]', [6, 4]],
  ['蓝光最多。[1，2]', [4, 5]],
  ['[2] and again [2]', [5]],
  ['unknown [9], zero [0], text [a], array[10], none []', []],
  ['[1234567]', []],
])('%s cites %j', (sentence, cited) => {
  expect(citationsIn(sentence, passages)).toEqual(cited.map(id));
});
