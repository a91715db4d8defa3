import { describe, expect, test } from 'vitest';
import { shapeOf } from './utterance-shape.ts';

const complete = {
  en: [
    'What is photosynthesis?',
    'Why do plants need light to make sugar?',
    'I do not understand the second step.',
    'Who is it for?',
    'What?',
    'Why?',
    'The triangle has three equal angles.',
    'Because it is cold outside.',
    'Is it true that light is faster than sound?',
    'Yes, I do.',
    'Tell me more about the planets.',
    'Can you say that again?',
    'I forgot what we learned yesterday.',
  ],
  zh: [
    '光合作用是什么？',
    '为什么天是蓝的',
    '我不明白。',
    '你能再讲一遍吗',
    '地球绕着太阳转。',
    '好的',
    '这道题怎么做呢？',
    '谢谢',
    '我知道了',
  ],
} as const;

const open = {
  en: [
    'The plant needs water and.',
    'My question is about the',
    'It is because,',
    'I want to know.',
    'Um.',
    'What I mean is,',
    'When the sun goes down.',
    'I was wondering if',
    'I think that.',
    'Let me think.',
    'In the morning.',
    'So if I have three apples and…',
  ],
  zh: ['我想问', '因为', '植物需要水和', '然后，', '如果今天下雨的话', '那个', '嗯', '比如说', '我觉得这个是因为'],
} as const;

describe.each(['en', 'zh'] as const)('in %s', (language) => {
  test.each(complete[language].map((text) => [text]))('%s is complete', (text) => expect(shapeOf(text, language)).toBe('complete'));

  test.each(open[language].map((text) => [text]))('%s is open', (text) => expect(shapeOf(text, language)).toBe('open'));

  test('nothing is unclear', () => expect(shapeOf('  ', language)).toBe('unclear'));
});

test('of a single word nobody can tell, whatever mark the recogniser put', () => {
  for (const text of ['No,', 'No.', 'Photosynthesis', 'Wait,']) expect(shapeOf(text, 'en')).toBe('unclear');
});

test('a sentence that the recogniser did not end is not complete', () => {
  expect(shapeOf('The heart pumps blood through', 'en')).toBe('open');
  expect(shapeOf('The heart pumps blood', 'en')).toBe('unclear');
});
