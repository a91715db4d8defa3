import { expect, test } from 'vitest';
import { captionText } from './caption-text.ts';

const at = (text: string, word: string) => {
  const from = text.indexOf(word);
  return captionText({ text, spokenChars: from + word.length, word: { from, to: from + word.length } });
};

test('a caption is cut at the word that is being said', () => {
  expect(at('Blue light scatters most.', 'light')).toEqual({ said: 'Blue ', word: 'light', rest: ' scatters most.' });
});

test('between words, what was said is everything up to there', () => {
  expect(captionText({ text: 'Blue light.', spokenChars: 4, word: null })).toEqual({ said: 'Blue', word: '', rest: ' light.' });
});

test.each([
  ['The sky is **blue** [1].', 'blue', 'The sky is blue.'],
  ['## Why\n- It *scatters* `light` [2, 3]', 'scatters', 'Why It scatters light'],
  ['> 1. 蓝光**散射**最强。[1]', '散射', '蓝光散射最强。'],
  ['Speed is distance / time, 2 * 3 = 6.', 'time', 'Speed is distance / time, 2 * 3 = 6.'],
])('marks that nobody says are not shown: %s', (text, word, shown) => {
  const { said, word: now, rest } = at(text, word);
  expect(said + now + rest).toBe(shown);
});
