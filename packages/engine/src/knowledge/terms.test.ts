import { expect, test } from 'vitest';
import { documentTerms, queryTerms } from './terms.ts';

test.each([
  ['scattering', 'scattered', 'scatters'],
  ['evaporate', 'evaporation', 'evaporates', 'evaporating'],
  ['plant', 'plants', "plant's", 'PLANT'],
  ['body', 'bodies'],
  ['stop', 'stopped', 'stopping'],
  ['glass', 'glasses'],
])('%s has the same term as its other forms', (word, ...forms) => {
  for (const form of forms) expect(queryTerms(form)).toEqual(queryTerms(word));
});

test.each([
  ['glass', 'glas'],
  ['light', 'lightning'],
  ['mass', 'mat'],
  ['force', 'for'],
])('%s and %s stay apart', (word, other) => {
  expect(queryTerms(word)).not.toEqual(queryTerms(other));
});

test('words that every question has are left out, in both languages', () => {
  expect(queryTerms('What is the light?')).toEqual(['light']);
  expect(queryTerms('什么是光？')).toEqual(['光']);
});

test('a Chinese question becomes pairs, its documents pairs and single characters', () => {
  expect(queryTerms('天空为什么是蓝色的')).toEqual(['天空', '蓝色']);
  expect(documentTerms('光合作用')).toEqual(['光', '合', '作', '用', '光合', '合作', '作用']);
});

test('words that hold a stop word stay whole', () => {
  expect(queryTerms('能量和动能')).toEqual(['能量', '动能']);
  expect(queryTerms('有机物')).toEqual(['有机', '机物']);
});

test('mixed text, full-width letters and numbers are found', () => {
  expect(queryTerms('水的化学式H２O')).toEqual(['水', '化学', '学式', 'h2o']);
});

test('a term counts once in a question and as often as it occurs in a document', () => {
  expect(queryTerms('light light')).toEqual(['light']);
  expect(documentTerms('light light')).toEqual(['light', 'light']);
});
