import { createHash } from 'node:crypto';
import { Scenario, type ScenarioTurn } from '@virtual-tutor/schemas';
import { describe, expect, test } from 'vitest';
import { createExtractiveLlm } from '../adapters/extractive.ts';
import { createMiniSearchIndex } from '../adapters/minisearch-index.ts';
import { createScriptedLlm, type Script } from '../fakes.ts';
import { splitDocument } from '../knowledge/passages.ts';
import { LlmUnavailable } from '../ports.ts';
import type { TurnComparison } from './compare.ts';
import { type Against, runScenario } from './run-scenario.ts';

const passage = (documentId: string, text: string) => ({
  ...{ passageId: `${documentId}#0`, documentId, title: 'Light', text },
  contentHash: createHash('sha256').update(text).digest('hex'),
});
const light = passage('6f1f7d1e-52f7-4f57-8a5e-0d7c4c8d9a10', 'Light is scattered.');
const answered = {
  citations: [light.passageId],
  provider: 'scripted',
  model: 'm',
  temperature: 0.5,
  firstTokenMs: 3,
  totalMs: 9,
  reproducible: true,
};
const turn = {
  ...{ language: 'en', spoken: false, question: 'Why?', withheld: { words: 0, pairs: 0 }, tutorRevision: 1 },
  retrieved: { knowledgeRevision: 2, passages: [{ passageId: light.passageId, score: 1 }] },
  answer: { ...answered, text: 'Hello ▮. Light is scattered [1].' },
  ...{ heard: 'Hello ▮.', end: 'completed', failure: null },
};
const scenarioOf = (...turns: readonly (typeof turn | ScenarioTurn | Record<string, unknown>)[]) =>
  Scenario.parse({
    ...{
      format: 'virtual-tutor-scenario',
      version: 1,
      words: { are: 'of_the_course' },
      locale: 'en',
      tutorId: 'ada',
      knowledgeBaseId: 'k',
    },
    tutors: [{ revision: 1, name: 'Ada', systemPrompt: 'Be kind.' }],
    courses: [{ knowledgeRevision: 2, titles: ['Light'] }],
    passages: [light],
    turns,
  });
const asThen: Against = { model: null, tutor: null, course: null };

async function run(scenario: Scenario, play: Script['play'], against: Against = asThen) {
  const served = createScriptedLlm({ play });
  const turns: TurnComparison[] = [];
  let ms = 0;
  const now = () => (ms += 5);
  const ports = { bundled: createExtractiveLlm(), served, now, signal: new AbortController().signal, firstTextMs: 5_000, stallMs: 5_000 };
  for await (const one of runScenario(scenario, against, ports)) turns.push(one);
  return { turns, served };
}

const same = () => ['Hello Anna. ', 'Light is scattered [1].'];

describe('a scenario that is asked again', () => {
  test('asks each question as it was asked: of the same model, after what the student lived, whatever is answered now', async () => {
    const { turns, served } = await run(scenarioOf(turn, turn), (_, attempt) => (attempt === 1 ? ['Quite another thing.'] : same()));
    expect(turns.map(({ verdict, citations }) => [verdict, citations])).toEqual([
      ['changed', 'changed'],
      ['same', 'same'],
    ]);
    expect(served.requests.map(({ model, temperature }) => [model, temperature])).toEqual([
      ['m', 0.5],
      ['m', 0.5],
    ]);
    const [system, question, heard] = served.requests[1]?.messages ?? [];
    expect(system?.content).toContain('Be kind.');
    expect([question?.content, heard?.content]).toEqual(['Why?', 'Hello ▮.']);
    expect(turns[1]).toMatchObject({
      ...{ turn: 2, answer: { before: 'Hello ▮. Light is scattered [1].', now: 'Hello Anna. Light is scattered [1].' } },
      ...{ model: { before: 'm', now: 'm' }, tutorRevision: { before: 1, now: 1 }, knowledgeRevision: { before: 2, now: 2 } },
      ...{ firstTokenMs: { before: 3, now: 5 }, totalMs: { before: 9, now: 10 } },
    });
    expect(turns[0]?.difference).toEqual([
      { sentence: 'Hello ▮.', in: 'before' },
      { sentence: 'Light is scattered [1].', in: 'before' },
      { sentence: 'Quite another thing.', in: 'now' },
    ]);
  });

  test('says where there is no answer any more, where there is one now, and where there was none and is none', async () => {
    const failing = () => [{ fail: new LlmUnavailable('server_unreachable', 'gone') }];
    const failed = { ...turn, end: 'failed', failure: 'model_unavailable', answer: null };
    expect((await run(scenarioOf(turn, failed), failing, { ...asThen, model: 'm' })).turns).toMatchObject([
      { verdict: 'lost', failure: { before: null, now: 'model_unavailable' }, answer: { now: null } },
      { verdict: 'failed', failure: { before: 'model_unavailable', now: 'model_unavailable' } },
    ]);
    const recovered = await run(scenarioOf(failed), same, { ...asThen, model: 'm' });
    expect(recovered.turns).toMatchObject([{ verdict: 'answered', model: { before: null, now: 'm' } }]);
  });

  test('an answer that was cut is the same when it begins the same', async () => {
    const cut = { ...turn, end: 'interrupted', answer: { ...answered, text: 'Hello ▮. ', citations: [] } };
    expect((await run(scenarioOf(cut), same)).turns).toMatchObject([{ verdict: 'same', citations: 'same' }]);
    expect((await run(scenarioOf(cut), () => ['No. ', 'Hello.'])).turns).toMatchObject([{ verdict: 'changed' }]);
  });

  test('asks nothing where the words are erased', async () => {
    const erased = { ...turn, question: null, answer: null, heard: '' };
    const { turns, served } = await run(scenarioOf(erased, turn), same);
    expect(turns.map(({ verdict }) => verdict)).toEqual(['erased', 'same']);
    expect(served.requests).toHaveLength(1);
  });

  test('with another model, prompt or course', async () => {
    const index = createMiniSearchIndex();
    const again = '7f1f7d1e-52f7-4f57-8a5e-0d7c4c8d9a10';
    index.add(splitDocument({ documentId: again, title: 'Optics', mime: 'text/plain', text: 'Light is scattered.' }));
    const course = { revision: 9, index };
    const asked = { ...turn, question: 'How is light scattered?' };
    // The same text under another id is the same passage.
    const { turns, served } = await run(scenarioOf(asked), same, {
      model: 'other',
      tutor: { name: 'Bob', systemPrompt: 'Be brief.', revision: 4 },
      course,
    });
    expect(turns).toMatchObject([
      {
        ...{ verdict: 'same', citations: 'same', cited: { now: [{ passageId: `${again}#0` }] }, model: { before: 'm', now: 'other' } },
        ...{ tutorRevision: { before: 1, now: 4 }, knowledgeRevision: { before: 2, now: 9 } },
      },
    ]);
    expect(served.requests[0]?.messages[0]?.content).toMatch(/You are Bob.*Be brief\./s);
    const quoted = await run(scenarioOf(asked), same, { ...asThen, model: 'quotes-1' });
    expect(quoted.served.requests).toHaveLength(0);
    expect(quoted.turns[0]?.answer.now).toContain('“Light is scattered.” [1]');
    // Terms that were taken out still weigh: with so many that the course does not have, nothing is found.
    const vague = { ...asked, withheld: { words: 20, pairs: 0 } };
    expect((await run(scenarioOf(vague), same, { ...asThen, course })).turns[0]?.retrieved.now).toEqual([]);
  });
});
