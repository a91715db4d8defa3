import { describe, expect, test } from 'vitest';
import { classifyHeard, isHesitation } from './backchannel.ts';

const en = (text: string, saying = '') => classifyHeard({ text, language: 'en', saying });
const zh = (text: string, saying = '') => classifyHeard({ text, language: 'zh', saying });

describe('what was heard while the tutor spoke', () => {
  test.each([
    'Mm.',
    'Mm-hmm.',
    'Mhm',
    'Uh-huh.',
    'Hmm.',
    'Yeah.',
    'Yeah, yeah.',
    'Okay, right.',
    'Oh, I see.',
    'Got it.',
    'Ha ha ha',
    'Thank you.',
    'Yes, of course.',
  ])('%s is a backchannel', (text) => expect(en(text)).toBe('backchannel'));

  test.each(['嗯。', '嗯嗯', '哦，好的。', '对对对', '是的', '明白了', '嗯，知道了', 'OK', 'Mm-hmm.'])(
    '%s is a backchannel in a Chinese lesson',
    (text) => expect(zh(text)).toBe('backchannel'),
  );

  test.each([
    'Stop.',
    'Wait,',
    'No.',
    'What?',
    'But why is that?',
    'Sorry, what?',
    'Hold on, please.',
    'Excuse me',
    'Okay, wait a minute.',
  ])('%s is a request', (text) => expect(en(text)).toBe('request'));

  test.each(['等一下', '停！', '为什么？', '老师，等等', '嗯，不对', '再说一遍'])('%s is a request', (text) =>
    expect(zh(text)).toBe('request'),
  );

  test('a single word is less than several', () => {
    expect(en('Bright.')).toBe('word');
    expect(en('Yeah, photosynthesis.')).toBe('words');
    expect(zh('叶子')).toBe('words');
  });

  test('punctuation alone is nothing', () => {
    expect(en('...')).toBe('nothing');
    expect(en('')).toBe('nothing');
  });

  test('the tutor’s own words are an echo, in either language', () => {
    expect(en('make sugar from light', 'Plants make sugar from light, in their leaves.')).toBe('echo');
    expect(en('makes sugar from lite', 'Plants make sugar from light, in their leaves.')).not.toBe('echo');
    expect(zh('植物用阳光', '绿色植物用阳光制造糖。')).toBe('echo');
  });

  test('words about what the tutor says are no echo', () => {
    expect(en('But what is sugar made of?', 'Plants make sugar from light.')).toBe('request');
    expect(en('I thought plants make oxygen from water', 'Plants make sugar from light.')).toBe('words');
  });
});

test('a hesitation says nothing yet; an agreement does', () => {
  expect(isHesitation('Um, uh.')).toBe(true);
  expect(isHesitation('Yes.')).toBe(false);
  expect(isHesitation('嗯。')).toBe(false);
  expect(isHesitation('')).toBe(false);
});
