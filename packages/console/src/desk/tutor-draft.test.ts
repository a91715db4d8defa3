import { expect, test } from 'vitest';
import { draftOf, emptyDraft, settingsOf } from './tutor-draft.ts';

const settings = {
  name: 'Ada',
  language: 'en',
  systemPrompt: 'Teach.',
  llmModel: null,
  temperature: 0.4,
  knowledgeBaseId: 'light',
  greeting: 'Hello!',
  voice: 'slt',
  face: 'xiaolan',
  avatarId: '01900000-0000-7000-8000-000000000001',
} as const;

test('a tutor that nobody touched is saved as it was', () => {
  expect(settingsOf(draftOf({ id: 'ada', revision: 3, status: 'active', settings }))).toEqual(settings);
});

test('an empty voice or face is left to the language', () => {
  expect(settingsOf({ ...emptyDraft('en'), id: 'ada', name: 'Ada', voice: ' ' })).toMatchObject({
    voice: null,
    face: null,
    avatarId: null,
  });
});

test.each([
  ['without a name', { id: 'ada', name: ' ' }],
  ['with an id that is not one', { id: '-ada', name: 'Ada' }],
  ['with a temperature above 2', { id: 'ada', name: 'Ada', temperature: '2.1' }],
  ['with a temperature that is no number', { id: 'ada', name: 'Ada', temperature: 'warm' }],
])('a draft %s cannot be saved', (_reason, change) => {
  expect(settingsOf({ ...emptyDraft('en'), ...change })).toBeNull();
});
