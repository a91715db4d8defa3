import { expect, test } from 'vitest';
import { type FeedState, openFeed, receive, resubscribed, resumePoint } from './feed.ts';
import type { FeedItem } from './feed-item.ts';

const turnId = 'turn';
const message = {
  type: 'message',
  turnId,
  clientMessageId: 'm',
  modality: 'text',
  text: 'Why?',
  at: '2026-01-01T00:00:00.000Z',
} as const satisfies FeedItem;
const started: FeedItem = { type: 'replyStarted', turnId, provider: 'p', model: 'm', fallback: null };
const delta = (index: number, text: string): FeedItem => ({ type: 'delta', turnId, index, text });
const sentence = (index: number, text: string | null): FeedItem => ({ type: 'sentence', turnId, index, text, citations: ['c'] });
const timings = { asrMs: null, retrieveMs: 1, firstTokenMs: 2, firstAudioMs: null, firstFrameMs: null, totalMs: 3 };
const completed: FeedItem = { type: 'replyCompleted', turnId, sentences: 1, usage: null, timings };

function fold(items: readonly (readonly [string, FeedItem])[], from: FeedState | null = openFeed()): FeedState {
  if (from === null) throw new Error('not a feed id');
  return items.reduce((state, [id, item]) => receive(state, id, item), from);
}

const replying = fold([
  ['1.0', message],
  ['2.0', started],
]);

test('a turn is waiting, then replying, then completed', () => {
  expect(fold([['1.0', message]]).view.turns).toMatchObject([{ status: 'waiting', message: 'Why?', reply: '' }]);
  expect(replying.view.turns).toMatchObject([{ status: 'replying', provider: 'p', model: 'm' }]);
  const done = fold(
    [
      ['2.1', delta(0, 'Because')],
      ['3.0', sentence(0, 'Because.')],
      ['4.0', completed],
    ],
    replying,
  );
  expect(done.view.turns).toMatchObject([{ status: 'completed', reply: 'Because.', timings }]);
});

test('pieces of a finished sentence and of a finished turn are ignored', () => {
  const closed = fold(
    [
      ['3.0', sentence(0, 'Because.')],
      ['3.1', delta(0, ' Late.')],
    ],
    replying,
  );
  expect(closed.view.turns[0]?.reply).toBe('Because.');
  const done = fold(
    [
      ['4.0', completed],
      ['4.1', delta(1, ' Late.')],
      ['5.0', sentence(1, ' Late.')],
    ],
    closed,
  );
  expect(done.view.turns[0]?.reply).toBe('Because.');
});

test('items that were passed already, have no feed id or belong to nothing known change nothing', () => {
  const after = fold(
    [
      ['1.0', sentence(0, 'Old.')],
      ['2.0', sentence(0, 'Old.')],
      ['nonsense', sentence(0, 'No id.')],
      ['3.0', { type: 'sentence', turnId: 'another', index: 0, text: 'Not mine.', citations: [] }],
    ],
    replying,
  );
  expect(after.view).toBe(replying.view);
});

test('the resume point is the newest durable item, never a piece', () => {
  expect(resumePoint(fold([]))).toBeUndefined();
  expect(resumePoint(fold([['2.7', delta(0, 'Be')]], replying))).toBe('2.0');
});

test('after a resumption pieces that are already shown come again and change nothing until there is more', () => {
  const half = resubscribed(fold([['2.1', delta(0, 'Because')]], replying));
  const repeating = fold([['2.1', delta(0, 'Beca')]], half);
  expect(repeating.view).toBe(half.view);
  const further = fold(
    [
      ['2.2', delta(0, 'use')],
      ['2.3', delta(0, ' of')],
    ],
    repeating,
  );
  expect(further.view.turns[0]?.reply).toBe('Because of');
});

test('a message says how it was put', () => {
  expect(fold([['1.0', { ...message, modality: 'voice' }]]).view.turns).toMatchObject([{ modality: 'voice' }]);
});

test('the view says how the tutor reaches the student, and why that changed', () => {
  const spoken = fold([['1.0', { type: 'quality', from: 'text', to: 'video', reason: 'connected' }]]);
  expect(spoken.view).toMatchObject({ quality: 'video', qualityReason: 'connected' });
  expect(openFeed()?.view).toMatchObject({ quality: 'text', qualityReason: null });
});

test('words of a student who was forgotten are empty', () => {
  const forgotten = fold([
    ['1.0', { ...message, text: null }],
    ['2.0', started],
    ['3.0', sentence(0, null)],
    ['4.0', { type: 'replyInterrupted', turnId, by: 'operator', heardText: null }],
  ]);
  expect(forgotten.view.turns).toMatchObject([{ message: null, reply: '', status: 'interrupted' }]);
});

test('a kept view of an ended session is not gone on with: there is no more to come that would say so', () => {
  const { view } = fold([['3.0', { type: 'sessionEnded', reason: 'idle' }]], replying);
  expect(openFeed({ lastEventId: '3.0', view })).toEqual(openFeed());
  expect(openFeed({ lastEventId: 'nonsense', view: { ...view, ended: null } })).toBeNull();
});
