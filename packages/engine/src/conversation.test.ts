import { PassageId } from '@virtual-tutor/schemas';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ConversationPorts, converse, type ReplyFact, type ReplyRequest } from './conversation.ts';
import { createGate, createScriptedLlm, type ScriptedLlm, type ScriptStep } from './fakes.ts';
import { LlmUnavailable, type RankedPassage } from './ports.ts';
import { ReplyFailure } from './reply-failure.ts';

const patience = { firstTextMs: 30_000, stallMs: 10_000 };

function passage(n: number): RankedPassage {
  const documentId = '0190f5fe-7c00-7a00-8000-000000000001';
  return { passageId: PassageId.parse(`${documentId}#${n}`), documentId, title: 'Light', text: `Fact ${n}.`, contentHash: '', score: 1 };
}

const request: ReplyRequest = {
  question: 'Why is the sky blue?',
  language: 'en',
  tutor: { name: 'Ada', systemPrompt: 'Be kind.', model: 'small', temperature: 0.4 },
  history: [],
  passages: [passage(0), passage(1)],
  topics: ['Light'],
  spoken: false,
  resume: null,
};

function playing(...steps: readonly ScriptStep[]): ScriptedLlm {
  return createScriptedLlm({ provider: 'ollama', play: () => steps });
}

function quoting(...steps: readonly ScriptStep[]): ScriptedLlm {
  return createScriptedLlm({ provider: 'extractive', onlyModel: 'quotes', play: () => steps });
}

const down = new LlmUnavailable('server_unreachable', 'start it');

interface Outcome {
  readonly facts: readonly ReplyFact[];
  readonly error: unknown;
}

async function outcome(
  ports: ConversationPorts,
  of: ReplyRequest = request,
  signal: AbortSignal = new AbortController().signal,
): Promise<Outcome> {
  const facts: ReplyFact[] = [];
  try {
    for await (const fact of converse(of, ports, { ...patience, signal })) facts.push(fact);
    return { facts, error: null };
  } catch (error) {
    return { facts, error };
  }
}

const texts = (facts: readonly ReplyFact[], type: 'delta' | 'sentence') => facts.flatMap((fact) => (fact.type === type ? [fact.text] : []));
const started = (facts: readonly ReplyFact[]) => facts.find((fact) => fact.type === 'started');

describe('a reply', () => {
  test('starts, streams deltas, closes sentences with their citations, and is done', async () => {
    const llm = playing('Light scatters. [2', '][9] Bl', 'ue most.', { usage: { promptTokens: 12, completionTokens: 7 } });
    const { facts } = await outcome({ llm, fallback: null });
    expect(facts).toEqual([
      expect.objectContaining({ type: 'started', provider: 'ollama', model: 'small', temperature: 0.4, fallback: null }),
      { type: 'delta', index: 0, text: 'Light scatters. ' },
      { type: 'delta', index: 0, text: '[2][9] ' },
      { type: 'sentence', index: 0, text: 'Light scatters. [2][9] ', citations: [passage(1).passageId] },
      { type: 'delta', index: 1, text: 'Bl' },
      { type: 'delta', index: 1, text: 'ue most.' },
      { type: 'sentence', index: 1, text: 'Blue most.', citations: [] },
      { type: 'done', usage: { promptTokens: 12, completionTokens: 7 } },
    ]);
  });

  test('shows each piece before the model makes the next one', async () => {
    const gate = createGate();
    const facts = converse(
      request,
      { llm: playing('One', { wait: gate }, ' two.'), fallback: null },
      { ...patience, signal: new AbortController().signal },
    );
    expect((await facts.next()).value).toMatchObject({ type: 'started' });
    expect((await facts.next()).value).toEqual({ type: 'delta', index: 0, text: 'One' });
    gate.open();
    expect((await facts.next()).value).toEqual({ type: 'delta', index: 0, text: ' two.' });
    await facts.return();
  });

  test('goes on at the sentence where it was left, with the text before as prefix', async () => {
    const llm = playing('One. ', 'Two. ', 'Three.');
    const { facts } = await outcome({ llm, fallback: null }, { ...request, resume: { fromIndex: 1, prefix: 'One. ', provider: 'ollama' } });
    expect(texts(facts, 'sentence')).toEqual(['Two. ', 'Three.']);
    expect(facts.filter((fact) => fact.type === 'sentence').map((fact) => fact.index)).toEqual([1, 2]);
    expect(llm.requests[0]?.prefix).toBe('One. ');
  });

  test('is done without a word when there was nothing left to say', async () => {
    const resume = { fromIndex: 1, prefix: 'All said.', provider: 'ollama' };
    const { facts, error } = await outcome({ llm: playing('All said.'), fallback: null }, { ...request, resume });
    expect(error).toBeNull();
    expect(facts.map((fact) => fact.type)).toEqual(['started', 'done']);
  });

  test('has the same prompt hash after a resume and another one for another question', async () => {
    const hash = async (of: ReplyRequest) =>
      started((await outcome({ llm: playing('One. ', 'Two.'), fallback: null }, of)).facts)?.promptHash;
    const first = await hash(request);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await hash({ ...request, resume: { fromIndex: 1, prefix: 'One. ', provider: 'ollama' } })).toBe(first);
    expect(await hash({ ...request, question: 'Why not green?' })).not.toBe(first);
  });
});

describe('a model that cannot answer', () => {
  test('is replaced before the first word, and the reply says by whom and why', async () => {
    const { facts, error } = await outcome({ llm: playing({ fail: down }), fallback: quoting('A quote.') });
    expect(error).toBeNull();
    expect(started(facts)).toMatchObject({
      provider: 'extractive',
      model: 'quotes',
      fallback: { from: 'ollama', code: 'model_unavailable' },
    });
    expect(texts(facts, 'sentence')).toEqual(['A quote.']);
  });

  test('is replaced when its answer is empty', async () => {
    const { facts } = await outcome({ llm: playing({ usage: { promptTokens: 1, completionTokens: 0 } }), fallback: quoting('A quote.') });
    expect(started(facts)).toMatchObject({ provider: 'extractive', fallback: { from: 'ollama', code: 'model_unavailable' } });
  });

  test('without a replacement fails the reply, naming the reason', async () => {
    const { facts, error } = await outcome({ llm: playing({ fail: down }), fallback: null });
    expect(facts).toEqual([]);
    expect(error).toBeInstanceOf(ReplyFailure);
    expect(error).toMatchObject({ code: 'model_unavailable', message: 'start it' });
  });

  test('after the first word fails the reply and is not replaced', async () => {
    const fallback = quoting('A quote.');
    const { facts, error } = await outcome({ llm: playing('One. Tw', { fail: down }), fallback });
    expect(texts(facts, 'sentence')).toEqual(['One. ']);
    expect(error).toMatchObject({ name: 'ReplyFailure', code: 'model_unavailable' });
    expect(fallback.requests).toEqual([]);
  });

  test('that never ends is cut off', async () => {
    const { error } = await outcome({ llm: playing(...Array.from({ length: 300 }, () => 'again '.repeat(20))), fallback: null });
    expect(error).toMatchObject({ name: 'ReplyFailure', code: 'model_unavailable' });
  });

  test('does not hide a defect: other errors pass as they are', async () => {
    const { error } = await outcome({ llm: playing({ fail: new TypeError('bug') }), fallback: quoting('A quote.') });
    expect(error).toBeInstanceOf(TypeError);
  });

  test('a reply begun by the replacement goes on with it', async () => {
    const llm = playing('From the model.');
    const { facts } = await outcome(
      { llm, fallback: quoting('A quote. ', 'Another.') },
      { ...request, resume: { fromIndex: 1, prefix: 'A quote. ', provider: 'extractive' } },
    );
    expect(started(facts)).toMatchObject({ provider: 'extractive', fallback: null });
    expect(texts(facts, 'sentence')).toEqual(['Another.']);
    expect(llm.requests).toEqual([]);
  });
});

describe('a model that falls silent', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const drained = () => new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));

  test('before the first word is replaced after its patience is used up, and its work is cancelled', async () => {
    const llm = playing({ stall: true });
    const result = outcome({ llm, fallback: quoting('A quote.') });
    await drained();
    await vi.advanceTimersByTimeAsync(patience.firstTextMs - 1);
    expect(llm.aborted).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(started((await result).facts)).toMatchObject({ fallback: { from: 'ollama', code: 'timeout' } });
    expect(llm.aborted).toBe(1);
  });

  test('after the first word fails the reply as a timeout', async () => {
    const llm = playing('One. Tw', { stall: true });
    const result = outcome({ llm, fallback: quoting('A quote.') });
    await drained();
    await vi.advanceTimersByTimeAsync(patience.stallMs);
    const { facts, error } = await result;
    expect(texts(facts, 'delta').join('')).toBe('One. Tw');
    expect(error).toMatchObject({ name: 'ReplyFailure', code: 'timeout' });
    expect(llm.aborted).toBe(1);
  });

  test('is not blamed for a consumer that takes its time', async () => {
    const facts = converse(
      request,
      { llm: playing('One. ', 'Two.'), fallback: null },
      { ...patience, signal: new AbortController().signal },
    );
    await facts.next();
    await facts.next();
    await vi.advanceTimersByTimeAsync(10 * patience.stallMs);
    expect((await facts.next()).value).toMatchObject({ type: 'sentence', text: 'One. ' });
    await facts.return();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('an interrupted reply', () => {
  test('ends with an AbortError, cancels the model and asks nobody else', async () => {
    const controller = new AbortController();
    const llm = playing('One. Tw', { stall: true });
    const fallback = quoting('A quote.');
    const facts: ReplyFact[] = [];
    const reading = (async () => {
      for await (const fact of converse(request, { llm, fallback }, { ...patience, signal: controller.signal })) {
        facts.push(fact);
        if (texts(facts, 'delta').join('') === 'One. Tw') setImmediate(() => controller.abort());
      }
    })();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    expect(texts(facts, 'sentence')).toEqual(['One. ']);
    expect(llm.aborted).toBe(1);
    expect(fallback.requests).toEqual([]);
  });

  test('ends at once even when the adapter ignores its signal', async () => {
    const controller = new AbortController();
    const deaf = {
      ...playing(),
      generate: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) }),
    };
    const reading = outcome({ llm: deaf, fallback: null }, request, controller.signal);
    controller.abort();
    expect((await reading).error).toMatchObject({ name: 'AbortError' });
  });

  test('interrupted before it began asks no model', async () => {
    const llm = playing('One.');
    const { error } = await outcome({ llm, fallback: null }, request, AbortSignal.abort());
    expect(error).toMatchObject({ name: 'AbortError' });
    expect(llm.requests).toEqual([]);
  });

  test('a reader that leaves cancels the model', async () => {
    const llm = playing('One. ', 'Two. ', { stall: true });
    for await (const fact of converse(request, { llm, fallback: null }, { ...patience, signal: new AbortController().signal })) {
      if (fact.type === 'sentence') break;
    }
    expect(llm.aborted).toBe(1);
  });
});
