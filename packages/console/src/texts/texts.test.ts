import { expect, test } from 'vitest';
import { sayIn, texts } from './texts.ts';

const gapsOf = (sentence: string) => [...sentence.matchAll(/\{\w+\}/g)].map(([gap]) => gap).sort();

test.each(Object.entries(texts))('%s has the same gaps in both languages', (_key, { en, zh }) => {
  expect(gapsOf(zh)).toEqual(gapsOf(en));
});

test('gaps are filled in either language', () => {
  expect(sayIn('en')('thinking', { name: 'Ada' })).toBe('Ada is thinking…');
  expect(sayIn('zh')('thinking', { name: '小蓝老师' })).toBe('小蓝老师正在思考……');
});
