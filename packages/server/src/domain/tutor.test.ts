import { AvatarId, KnowledgeBaseId, TutorSettings } from '@virtual-tutor/schemas';
import { expect, test } from 'vitest';
import { tutor } from './tutor.ts';

const settings: TutorSettings = {
  name: 'Ada',
  language: 'en',
  systemPrompt: '',
  llmModel: null,
  temperature: null,
  knowledgeBaseId: null,
  greeting: 'Hello.',
  voice: null,
  face: null,
  avatarId: null,
};
const others: TutorSettings = {
  name: 'Grace',
  language: 'zh',
  systemPrompt: 'Be brief.',
  llmModel: 'another',
  temperature: 0.5,
  knowledgeBaseId: KnowledgeBaseId.parse('optics'),
  greeting: '',
  voice: 'rms',
  face: 'xiaolan',
  avatarId: AvatarId.parse('0193c5a0-0000-7000-8000-00000000000a'),
};

test.each(TutorSettings.keyof().options)('a change of %s alone is recorded', (setting) => {
  const after = { ...settings, [setting]: others[setting] };
  const decision = tutor.decide({ type: 'ConfigureTutor', settings: after }, { status: 'active', settings });
  expect(decision).toMatchObject({ accepted: [{ type: 'TutorConfigured', payload: { before: settings, after } }] });
});

test('what is configured again as it is, is not', () => {
  const decision = tutor.decide({ type: 'ConfigureTutor', settings: { ...settings } }, { status: 'active', settings });
  expect(decision).toMatchObject({ accepted: [] });
});
