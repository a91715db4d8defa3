import { TurnId } from '@virtual-tutor/schemas';
import { expect, test } from 'vitest';
import { captionsOf, captionTrack } from './captions.ts';
import type { LessonScore, ScoredSentence } from './score.ts';

const turnId = TurnId.parse('11111111-1111-4111-8111-111111111111');
const heard: ScoredSentence = {
  ...{ turnId, index: 0, language: 'en', medium: 'voice', text: 'Light is\n a wave. ', heardText: 'Light is\n a wave. ' },
  ...{ startMs: 1_000, heardMs: 1_499.6, durationMs: 1_499.6, cut: false },
};
const lesson: LessonScore = { startedAtMs: 0, durationMs: 60_000, locale: 'en', sentences: [], student: [], modes: [] };

test('a sentence stands while it is heard; of one that was cut, what was heard of it', () => {
  const cut: ScoredSentence = { ...heard, index: 1, heardText: 'It moves ', startMs: 3_000, heardMs: 700, cut: true };
  expect(captionsOf({ ...lesson, sentences: [heard, cut] })).toEqual([
    { startMs: 1_000, endMs: 2_499.6, text: 'Light is a wave.' },
    { startMs: 3_000, endMs: 3_700, text: 'It moves —' },
  ]);
});

test('what is written stays as long as reading takes, and not beyond the lesson', () => {
  const read: ScoredSentence = { ...heard, medium: 'text', heardMs: 0, durationMs: null };
  const late = { turnId, language: 'zh', modality: 'text', text: '为什么天空是蓝色的？', startMs: 59_000, endMs: 59_000 } as const;
  expect(captionsOf({ ...lesson, sentences: [read], student: [late] })).toEqual([
    { startMs: 1_000, endMs: 2_500, text: 'Light is a wave.' },
    { startMs: 59_000, endMs: 60_000, text: '学生：为什么天空是蓝色的？' },
  ]);
});

test('words that were erased have placeholders, in the language of the turn', () => {
  const erased: ScoredSentence = { ...heard, language: 'zh', text: null, heardText: null };
  const said = { turnId, language: 'en', modality: 'voice', text: null, startMs: 0, endMs: 900 } as const;
  expect(captionsOf({ ...lesson, sentences: [erased], student: [said] }).map(({ text }) => text)).toEqual([
    'Student: [erased]',
    '［已删除］',
  ]);
});

test('captions of one moment share the picture, in whole ms and without overlap', () => {
  const track = captionTrack([
    { startMs: 0, endMs: 1_000.4, text: 'a' },
    { startMs: 600.5, endMs: 1_500, text: 'b' },
    { startMs: 1_500, endMs: 1_600, text: 'c' },
    { startMs: 2_000, endMs: 2_100, text: 'd' },
  ]);
  expect(track).toEqual([
    { startMs: 0, endMs: 601, text: 'a' },
    { startMs: 601, endMs: 1_000, text: 'a\nb' },
    { startMs: 1_000, endMs: 1_500, text: 'b' },
    { startMs: 1_500, endMs: 1_600, text: 'c' },
    { startMs: 2_000, endMs: 2_100, text: 'd' },
  ]);
});
