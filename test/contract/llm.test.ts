import { describe, expect, test } from 'vitest';
import { createScriptedLlm } from '../../packages/engine/src/fakes.ts';
import { createExtractiveLlm, createOllamaLlm, type Llm, type LlmChunk, type LlmRequest } from '../../packages/engine/src/index.ts';
import { startOllamaServer } from '../support/ollama-server.ts';

/** What every `Llm` promises, whoever provides it. */
interface Provider extends AsyncDisposable {
  readonly llm: Llm;
  readonly model: string;
  /** Whether the same request has the same answer, so that a resumed reply can be compared. */
  readonly deterministic: boolean;
  /** Null: it has every model. */
  readonly missingModel: string | null;
}

const nothing = { [Symbol.asyncDispose]: async () => undefined };
const words = 'Light is a wave. It is fast. It travels far. It never rests. That is all.'.match(/\S+\s*/g) ?? [];

const providers: Readonly<Record<string, () => Promise<Provider>>> = {
  scripted: async () => ({
    llm: createScriptedLlm({ play: () => [...words, { usage: { promptTokens: 1, completionTokens: words.length } }] }),
    model: 'any',
    deterministic: true,
    missingModel: null,
    ...nothing,
  }),
  extractive: async () => ({ llm: createExtractiveLlm(), model: 'quotes-1', deterministic: true, missingModel: null, ...nothing }),
  'ollama (stand-in)': async () => {
    const text = words.join('');
    const server = await startOllamaServer({
      chat: ({ messages }) => {
        const last = messages.at(-1);
        const said = last?.role === 'assistant' ? last.content.length : 0;
        return (text.slice(said).match(/\s*\S+/g) ?? []).map((say) => ({ say }));
      },
    });
    const llm = createOllamaLlm({ baseUrl: server.url });
    return { llm, model: 'small', deterministic: true, missingModel: 'absent', [Symbol.asyncDispose]: () => server.close() };
  },
  ...realServer(),
};

/** A real server joins in where one is given: OLLAMA_TEST_URL and OLLAMA_TEST_MODEL. */
function realServer(): typeof providers {
  const { OLLAMA_TEST_URL: baseUrl, OLLAMA_TEST_MODEL: model } = process.env;
  if (baseUrl === undefined || model === undefined) return {};
  return {
    'ollama (real)': async () => ({
      llm: createOllamaLlm({ baseUrl }),
      model,
      deterministic: false,
      missingModel: 'no-such-model-of-ours',
      ...nothing,
    }),
  };
}

function asking(model: string, overrides: Partial<LlmRequest> = {}): LlmRequest {
  const question = 'Tell me five short facts about light.';
  return {
    model,
    temperature: 0,
    messages: [{ role: 'user', content: question }],
    question,
    prefix: '',
    passages: [],
    topics: ['Light', 'Water', 'Plants'],
    language: 'en',
    spoken: false,
    signal: new AbortController().signal,
    ...overrides,
  };
}

async function collect(chunks: AsyncIterable<LlmChunk>): Promise<readonly LlmChunk[]> {
  const all: LlmChunk[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

const textOf = (chunks: readonly LlmChunk[]) => chunks.flatMap((chunk) => (chunk.type === 'text' ? [chunk.text] : [])).join('');

describe.each(Object.entries(providers))('%s', (_name, create) => {
  test('streams an answer in several pieces, none of them empty', async () => {
    await using provider = await create();
    const chunks = await collect(provider.llm.generate(asking(provider.model)));
    const pieces = chunks.filter((chunk) => chunk.type === 'text');
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.every((piece) => piece.text !== '')).toBe(true);
  });

  test('counts tokens, where it counts at all, once and last', async () => {
    await using provider = await create();
    const chunks = await collect(provider.llm.generate(asking(provider.model)));
    const usageAt = chunks.findIndex((chunk) => chunk.type === 'usage');
    expect([-1, chunks.length - 1]).toContain(usageAt);
  });

  test('goes on right after a prefix and does not repeat it', async () => {
    await using provider = await create();
    const whole = textOf(await collect(provider.llm.generate(asking(provider.model))));
    const prefix = whole.slice(0, whole.indexOf(' ', Math.floor(whole.length / 2)) + 1);
    const rest = textOf(await collect(provider.llm.generate(asking(provider.model, { prefix }))));
    if (provider.deterministic) expect(prefix + rest).toBe(whole);
    expect(rest.startsWith(prefix)).toBe(false);
    expect(rest).not.toMatch(/^\s/);
  });

  test('an abort ends it with an AbortError', async () => {
    await using provider = await create();
    const controller = new AbortController();
    const chunks = provider.llm.generate(asking(provider.model, { signal: controller.signal }))[Symbol.asyncIterator]();
    await chunks.next();
    controller.abort();
    const rest = async () => {
      for (let result = await chunks.next(); result.done !== true; result = await chunks.next());
    };
    await expect(rest()).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('an abort touches no other request', async () => {
    await using provider = await create();
    const controller = new AbortController();
    const doomed = provider.llm.generate(asking(provider.model, { signal: controller.signal }))[Symbol.asyncIterator]();
    const kept = collect(provider.llm.generate(asking(provider.model)));
    await doomed.next();
    controller.abort();
    await expect(doomed.next()).rejects.toMatchObject({ name: 'AbortError' });
    const alone = await collect(provider.llm.generate(asking(provider.model)));
    if (provider.deterministic) expect(textOf(await kept)).toBe(textOf(alone));
    else expect(textOf(await kept)).not.toBe('');
  });

  test('an aborted signal is refused before any work', async () => {
    await using provider = await create();
    const chunks = provider.llm.generate(asking(provider.model, { signal: AbortSignal.abort() }))[Symbol.asyncIterator]();
    await expect(chunks.next()).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('a probe tells whether the model is there', async () => {
    await using provider = await create();
    const { signal } = new AbortController();
    expect(await provider.llm.probe(provider.model, signal)).toEqual({ ok: true });
    if (provider.missingModel === null) return;
    expect(await provider.llm.probe(provider.missingModel, signal)).toMatchObject({ ok: false, code: 'model_missing' });
  });
});

test('the extractive provider leaves the pace of a spoken reply to the voice', async () => {
  const llm = createExtractiveLlm({ paceMs: 3_600_000 });
  const chunks = await collect(llm.generate(asking('quotes-1', { spoken: true })));
  expect(textOf(chunks)).not.toBe('');
});
