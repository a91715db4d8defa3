import type { ViewedTurn } from '@virtual-tutor/sdk';
import { expect, test } from 'vitest';
import { shownReply } from './shown-reply.ts';

const sentence = (index: number, text: string) => ({ index, text, citations: [], closed: true });
const turn: ViewedTurn = {
  turnId: 't',
  clientMessageId: 'm',
  message: 'Why?',
  modality: 'text',
  sentAt: '2026-01-01T00:00:00.000Z',
  status: 'replying',
  sentences: [sentence(0, 'Light scatters. '), sentence(1, 'Blue most of all. '), sentence(2, 'Red passes.')],
  reply: 'Light scatters. Blue most of all. Red passes.',
  passages: [],
  provider: 'p',
  model: 'm',
  fallback: null,
  failure: null,
  timings: null,
};
const heard = (index: number, chars: number, turnId = 't') => ({ turnId, index, chars, over: false });

test('a lesson in writing shows what is written', () => {
  expect(shownReply(turn, { spoken: false, heard: null })).toBe(turn.reply);
});

test('a spoken reply shows what was heard, and nothing of what is still to come', () => {
  expect(shownReply(turn, { spoken: true, heard: null })).toBe('');
  expect(shownReply(turn, { spoken: true, heard: heard(0, 5) })).toBe('Light');
  expect(shownReply(turn, { spoken: true, heard: heard(1, 4) })).toBe('Light scatters. Blue');
  expect(shownReply(turn, { spoken: true, heard: heard(1, 4, 'before') })).toBe('');
});

test.each(['completed', 'interrupted', 'failed'] as const)('a turn that is %s shows what the log says of it', (status) => {
  expect(shownReply({ ...turn, status, reply: 'Light scatters.' }, { spoken: true, heard: heard(0, 3) })).toBe('Light scatters.');
});
