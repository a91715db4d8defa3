import { buildMessages, promptHash, splitDocument } from '@virtual-tutor/engine';
import { DocumentId, KnowledgeBaseId, Scenario, type SessionEvent, SessionId, StudentId, TurnId, TutorId } from '@virtual-tutor/schemas';
import { describe, expect, test } from 'vitest';
import { type LessonTurns, lessonTurns, revisionsIn } from './lesson-turns.ts';
import { type Materials, makeScenario } from './make-scenario.ts';

const documentId = DocumentId.parse('6f1f7d1e-52f7-4f57-8a5e-0d7c4c8d9a10');
const texts = ['# Light\n\nLight is scattered by the air.'];
const passages = splitDocument({ documentId, title: 'Light', mime: 'text/markdown', text: texts.join('') });
const [passage] = passages;
if (passage === undefined) throw new Error('there is a passage');
const then = { titles: ['Light'], passages: new Map(passages.map((one) => [one.passageId, one])), texts };
const materials: Materials = {
  tutors: new Map([
    [1, { name: 'Ada', systemPrompt: 'Be kind.', greeting: 'Hello!' }],
    [2, { name: 'Ada', systemPrompt: 'Be brief.', greeting: 'Hello!' }],
  ]),
  courses: new Map([[3, then]]),
};
const knowledgeBaseId = KnowledgeBaseId.parse('k');
const id = (n: number) => TurnId.parse(`${n}1111111-1111-5111-8111-111111111111`);

const created: SessionEvent = {
  type: 'SessionCreated',
  payload: {
    ...{
      tutorId: TutorId.parse('ada'),
      tutorRevision: 1,
      studentId: StudentId.parse('zofia-k'),
      knowledgeBaseId,
      locale: 'en',
      mode: 'session',
    },
    limits: { maxDurationMs: 1, idleMs: 1 },
  },
};
const asked = (n: number, text: string | null): SessionEvent => ({
  type: 'MessageReceived',
  payload: { turnId: id(n), clientMessageId: '33333333-3333-4333-8333-333333333333', modality: 'text', language: 'en', asr: null },
  personal: text === null ? null : { text },
});
const found = (n: number, contentHash = passage.contentHash): SessionEvent => ({
  type: 'PassagesRetrieved',
  payload: {
    ...{ turnId: id(n), knowledgeBaseId, knowledgeRevision: 3 },
    passages: [{ documentId, passageId: passage.passageId, contentHash, score: 2 }],
  },
});
const started = (n: number, hash: string, tutorRevision = 1): SessionEvent => ({
  type: 'ReplyStarted',
  payload: { turnId: id(n), provider: 'ollama', model: 'm', promptHash: hash, temperature: 0.5, tutorRevision, fallback: null },
});
const said = (n: number, index: number, text: string | null): SessionEvent => ({
  type: 'SentenceGenerated',
  payload: { turnId: id(n), index, citations: [passage.passageId] },
  personal: text === null ? null : { text },
});
const heard = (n: number, index: number): SessionEvent => ({
  type: 'SentenceHeard',
  payload: { turnId: id(n), index, playout: { medium: 'text' } },
});
const cut = (n: number, heardText: string | null): SessionEvent => ({
  type: 'ReplyInterrupted',
  payload: { turnId: id(n), by: 'student', heardSentences: 1, discardedSentences: 1, heardMs: null },
  personal: heardText === null ? null : { heardText },
});
const completed = (n: number): SessionEvent => ({
  type: 'ReplyCompleted',
  payload: {
    ...{ turnId: id(n), sentences: 1, usage: null },
    timings: { asrMs: null, retrieveMs: 1, firstTokenMs: 12, firstAudioMs: null, firstFrameMs: null, totalMs: 34 },
  },
});

const hashOf = (
  question: string,
  more: { readonly spoken?: boolean; readonly systemPrompt?: string; readonly history?: readonly { question: string; heard: string }[] },
) =>
  promptHash({
    ...{ model: 'm', temperature: 0.5 },
    messages: buildMessages({
      ...{
        tutor: { name: 'Ada', systemPrompt: more.systemPrompt ?? 'Be kind.' },
        language: 'en',
        question,
        topics: ['Light'],
        spoken: more.spoken ?? false,
      },
      ...{ passages: [{ ...passage, score: 2 }], history: more.history ?? [] },
    }),
  });

const first = 'I am Zofia. How is light scattered?';
const second = 'And then, Zofia (zofia-k) asks?';
const events = [
  ...[created, asked(1, first), found(1), started(1, hashOf(first, { spoken: true }))],
  ...[said(1, 0, 'Zofia, light is scattered [1]. '), heard(1, 0), said(1, 1, 'By the air.'), cut(1, 'Zofia, light is scattered [1]. By')],
  ...[asked(2, second), found(2)],
  started(2, hashOf(second, { systemPrompt: 'Be brief.', history: [{ question: first, heard: 'Zofia, light is scattered [1]. By' }] }), 2),
  ...[said(2, 0, 'Then it is blue.'), heard(2, 0), completed(2)],
] as const;

function lessonOf(given: readonly SessionEvent[]): LessonTurns {
  const lesson = lessonTurns(given);
  if (lesson === null) throw new Error('it is a lesson');
  return lesson;
}
const make = (given: readonly SessionEvent[]) =>
  Scenario.parse(makeScenario(lessonOf(given), materials, { words: { are: 'of_the_course' }, hide: [] }));

describe('a lesson made into a scenario', () => {
  test('has each turn with the revisions that made its answer, and the proof that they did', () => {
    expect(revisionsIn(lessonOf(events))).toEqual({ tutor: [1, 2], course: [3] });
    expect(make(events).turns).toMatchObject([
      {
        ...{ question: 'I am ▮. How is light scattered?', tutorRevision: 1, end: 'interrupted', heard: '▮, light is scattered [1]. By' },
        // The hash tells that it was to be heard, which the log has no event of here.
        ...{ spoken: true, answer: { text: '▮, light is scattered [1]. By the air.', reproducible: true, totalMs: null } },
      },
      {
        ...{ question: 'And then, ▮ (▮) asks?', tutorRevision: 2, end: 'completed', spoken: false },
        answer: { citations: [passage.passageId], model: 'm', temperature: 0.5, firstTokenMs: 12, totalMs: 34, reproducible: true },
      },
    ]);
  });

  test('names neither student nor session, and with her words allowed the session alone', () => {
    const sessionId = SessionId.parse('0193c5a0-0000-7000-8000-00000000000a');
    const words = { are: 'allowed', by: 'Ms Li', at: '2026-01-01T00:00:00.000Z', sessionId } as const;
    const allowed = JSON.stringify(makeScenario(lessonOf(events), materials, { words, hide: [] }));
    for (const text of [JSON.stringify(make(events)), allowed]) expect(text.toLowerCase()).not.toContain('zofia');
    expect(JSON.stringify(make(events))).not.toMatch(/1111-5111|33333333/);
    expect(allowed).toContain(sessionId);
    expect(make(events).words).toEqual({ are: 'of_the_course' });
  });

  test('says when its parts are not what the tutor was given', () => {
    const other = events.map((event) => (event.type === 'ReplyStarted' ? started(1, 'a'.repeat(64)) : event));
    expect(make(other).turns[0]?.answer).toMatchObject({ reproducible: false });
    const changed = events.map((event) => (event.type === 'PassagesRetrieved' ? found(1, 'b'.repeat(64)) : event));
    expect(make(changed)).toMatchObject({ passages: [], turns: [{ retrieved: { passages: [] }, answer: { reproducible: false } }, {}] });
  });

  test('has placeholders where words are erased', () => {
    const erased = events.map((event): SessionEvent => ('personal' in event ? { ...event, personal: null } : event));
    expect(make(erased).turns).toMatchObject([
      { question: null, withheld: { words: 0, pairs: 0 }, answer: null, heard: '', end: 'interrupted' },
      { question: null, answer: null, heard: '', end: 'completed' },
    ]);
    expect(JSON.stringify(make(erased))).not.toContain('blue');
  });

  test('of events that are no lesson there is none', () => {
    expect(lessonTurns([])).toBeNull();
    expect(lessonTurns(events.slice(1))).toBeNull();
  });
});
