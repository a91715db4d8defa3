import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type ConversationOptions,
  converse,
  createExtractiveLlm,
  createOllamaLlm,
  type LlmChunk,
  type LlmRequest,
  type ReplyFact,
  type ReplyRequest,
} from '../../packages/engine/src/index.ts';
import { type ChatStep, type OllamaServer, type OllamaServerOptions, startOllamaServer } from '../support/ollama-server.ts';

const canary = 'canary-words-of-a-student';

async function serving(options?: OllamaServerOptions): Promise<OllamaServer> {
  const server = await startOllamaServer(options);
  onTestFinished(() => server.close());
  return server;
}

function request(overrides: Partial<LlmRequest> = {}): LlmRequest {
  return {
    model: 'small',
    temperature: 0.7,
    messages: [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: canary },
    ],
    question: canary,
    prefix: '',
    passages: [],
    topics: [],
    language: 'en',
    spoken: false,
    signal: new AbortController().signal,
    ...overrides,
  };
}

interface Outcome {
  readonly text: string;
  readonly chunks: readonly LlmChunk[];
  readonly error: unknown;
}

async function ask(baseUrl: string, overrides: Partial<LlmRequest> = {}): Promise<Outcome> {
  const chunks: LlmChunk[] = [];
  const text = () => chunks.flatMap((chunk) => (chunk.type === 'text' ? [chunk.text] : [])).join('');
  try {
    for await (const chunk of createOllamaLlm({ baseUrl }).generate(request(overrides))) chunks.push(chunk);
    return { text: text(), chunks, error: null };
  } catch (error) {
    return { text: text(), chunks, error };
  }
}

describe('what goes over the wire', () => {
  test('the request carries model, messages, temperature and room for the prompt', async () => {
    const server = await serving();
    await ask(server.url);
    expect(server.chats[0]?.body).toMatchObject({
      model: 'small',
      stream: true,
      think: false,
      messages: request().messages,
      options: { temperature: 0.7, num_ctx: 8192, num_predict: 1024 },
    });
  });

  test("the server's token counts come back", async () => {
    const server = await serving();
    const { chunks } = await ask(server.url);
    expect(chunks.at(-1)).toEqual({ type: 'usage', usage: { promptTokens: 2, completionTokens: 3 } });
  });

  test('a prefix is sent as the last message of the assistant, without its trailing space', async () => {
    const server = await serving();
    const { text } = await ask(server.url, { prefix: 'One ' });
    expect(server.chats[0]?.body.messages.at(-1)).toEqual({ role: 'assistant', content: 'One' });
    expect(text).toBe('two three.');
  });

  test('a model that starts over instead of going on is not heard twice', async () => {
    const server = await serving({ chat: () => [{ say: 'One' }, { say: ' two' }, { say: ' thr' }, { say: 'ee.' }] });
    expect((await ask(server.url, { prefix: 'One two ' })).text).toBe('three.');
  });

  test('a continuation that only looks like a repetition is kept', async () => {
    const server = await serving({ chat: () => [{ say: ' On' }] });
    expect((await ask(server.url, { prefix: 'One two ' })).text).toBe('On');
  });

  test('lines torn anywhere on the wire, inside characters too, arrive whole', async () => {
    const line = Buffer.from(`${JSON.stringify({ message: { role: 'assistant', content: '光合作用😀' }, done: false })}\n`);
    const server = await serving({ chat: () => [...line].map((byte) => ({ raw: Uint8Array.of(byte) })) });
    expect((await ask(server.url)).text).toBe('光合作用😀');
  });
});

describe('a server in trouble says what a person can do', () => {
  const failing: readonly { readonly name: string; readonly steps: readonly ChatStep[]; readonly code: string; readonly hint: RegExp }[] = [
    { name: 'status 500', steps: [{ status: 500, body: `{"error":"${canary}"}` }], code: 'bad_answer', hint: /status 500/ },
    { name: 'a page of HTML', steps: [{ raw: '<html>hello</html>\n' }], code: 'bad_answer', hint: /OLLAMA_BASE_URL/ },
    { name: 'a garbled line after good ones', steps: [{ say: 'Light ' }, { raw: `{"${canary}\n` }], code: 'bad_answer', hint: /log/ },
    { name: 'JSON of another shape', steps: [{ raw: '{"choices":[]}\n' }], code: 'bad_answer', hint: /OLLAMA_BASE_URL/ },
    {
      name: 'content that is no text',
      steps: [{ raw: '{"message":{"content":7},"done":false}\n' }],
      code: 'bad_answer',
      hint: /OLLAMA_BASE_URL/,
    },
    {
      name: 'negative token counts',
      steps: [{ raw: '{"message":{"content":""},"done":true,"eval_count":-1}\n' }],
      code: 'bad_answer',
      hint: /OLLAMA_BASE_URL/,
    },
    { name: 'an error inside the stream', steps: [{ say: 'Light ' }, { raw: `{"error":"${canary}"}\n` }], code: 'bad_answer', hint: /log/ },
    { name: 'a connection cut in the middle', steps: [{ say: 'Light ' }, { cut: true }], code: 'server_unreachable', hint: /ollama serve/ },
    { name: 'an endless line', steps: [{ raw: 'x'.repeat(1_100_000) }, { stall: true }], code: 'bad_answer', hint: /OLLAMA_BASE_URL/ },
  ];

  test.each(failing)('$name', async ({ steps, code, hint }) => {
    const printed = [vi.spyOn(console, 'log'), vi.spyOn(console, 'warn'), vi.spyOn(console, 'error')];
    onTestFinished(() => {
      for (const spy of printed) spy.mockRestore();
    });
    const server = await serving({ chat: () => steps });
    const { error } = await ask(server.url);
    expect(error).toMatchObject({ name: 'LlmUnavailable', code, message: expect.stringMatching(hint) });
    expect(String(error) + String(error instanceof Error && error.cause)).not.toContain(canary);
    expect(printed.flatMap((spy) => spy.mock.calls)).toEqual([]);
  });

  test('a model that was not pulled', async () => {
    const server = await serving();
    const { error } = await ask(server.url, { model: 'large' });
    expect(error).toMatchObject({ name: 'LlmUnavailable', code: 'model_missing', message: expect.stringContaining('ollama pull large') });
  });

  test('a path where no Ollama lives', async () => {
    const server = await serving();
    const { error } = await ask(`${server.url}/elsewhere`);
    expect(error).toMatchObject({ code: 'bad_answer', message: expect.stringContaining('OLLAMA_BASE_URL') });
  });

  test('no server at all, and the password of the address stays unsaid', async () => {
    const server = await startOllamaServer();
    await server.close();
    const { error } = await ask(server.url);
    expect(error).toMatchObject({
      code: 'server_unreachable',
      message: `No Ollama server answers at ${server.url}: start it with \`ollama serve\` or set OLLAMA_BASE_URL.`,
    });
    const { error: other } = await ask(server.url.replace('//', '//user:secret@'));
    expect(other).toMatchObject({ name: 'LlmUnavailable', message: expect.not.stringContaining('secret') });
  });

  test('a probe reports the same reasons and never throws', async () => {
    const server = await serving({ models: ['small:latest', 'tiny:1b'] });
    const { signal } = new AbortController();
    const llm = createOllamaLlm({ baseUrl: server.url });
    expect(await llm.probe('small', signal)).toEqual({ ok: true });
    expect(await llm.probe('tiny:1b', signal)).toEqual({ ok: true });
    expect(await llm.probe('tiny', signal)).toMatchObject({
      ok: false,
      code: 'model_missing',
      reason: expect.stringContaining('ollama pull tiny'),
    });
    expect(await createOllamaLlm({ baseUrl: `${server.url}/elsewhere` }).probe('small', signal)).toMatchObject({ code: 'bad_answer' });
    await server.close();
    expect(await llm.probe('small', signal)).toMatchObject({ ok: false, code: 'server_unreachable' });
    expect(await llm.probe('small', AbortSignal.abort())).toMatchObject({ ok: false });
  });
});

describe('cancelling', () => {
  test.each([
    ['a silent server', [{ stall: true }]],
    ['a server in the middle of a reply', [{ say: 'Light ' }, { stall: true }]],
  ] as const)('%s: the abort closes the HTTP request', async (_name, steps) => {
    const server = await serving({ chat: () => steps });
    const controller = new AbortController();
    const answer = ask(server.url, { signal: controller.signal });
    await vi.waitFor(() => expect(server.chats).toHaveLength(1));
    controller.abort();
    expect((await answer).error).toMatchObject({ name: 'AbortError' });
    await server.chats[0]?.aborted;
    expect(server.chats[0]?.wasAborted).toBe(true);
  });

  test('of twenty requests through one adapter only the aborted one is closed', async () => {
    const gate = Promise.withResolvers<void>();
    const server = await serving({ chat: () => [{ say: 'Light ' }, { wait: gate.promise }, { say: 'shines.' }] });
    const llm = createOllamaLlm({ baseUrl: server.url });
    const controllers = Array.from({ length: 20 }, () => new AbortController());
    const answers = controllers.map(async ({ signal }) => {
      const texts: string[] = [];
      for await (const chunk of llm.generate(request({ signal }))) if (chunk.type === 'text') texts.push(chunk.text);
      return texts.join('');
    });
    const settled = Promise.allSettled(answers);
    await vi.waitFor(() => expect(server.chats).toHaveLength(20));
    controllers[7]?.abort();
    await Promise.any(server.chats.map((chat) => chat.aborted));
    gate.resolve();
    const results = await settled;
    expect(results.filter((result) => result.status === 'fulfilled' && result.value === 'Light shines.')).toHaveLength(19);
    expect(results[7]).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } });
    expect(server.chats.filter((chat) => chat.wasAborted)).toHaveLength(1);
  });

  test('a reader that stops reading closes the HTTP request', async () => {
    const server = await serving({ chat: () => [{ say: 'Light ' }, { stall: true }] });
    for await (const _ of createOllamaLlm({ baseUrl: server.url }).generate(request())) break;
    await server.chats[0]?.aborted;
    expect(server.chats[0]?.wasAborted).toBe(true);
  });
});

describe('a conversation over the wire', () => {
  const reply: ReplyRequest = {
    question: canary,
    language: 'en',
    spoken: false,
    tutor: { name: 'Ada', systemPrompt: 'Be kind.', model: 'small', temperature: 0.4 },
    history: [],
    passages: [],
    topics: ['Light'],
    resume: null,
  };

  async function facts(server: OllamaServer, of: ReplyRequest = reply, patience: Partial<ConversationOptions> = {}) {
    const told: ReplyFact[] = [];
    const ports = { llm: createOllamaLlm({ baseUrl: server.url }), fallback: createExtractiveLlm() };
    const options = { firstTextMs: 30_000, stallMs: 30_000, signal: new AbortController().signal, ...patience };
    try {
      for await (const fact of converse(of, ports, options)) told.push(fact);
      return { told, error: null };
    } catch (error) {
      return { told, error };
    }
  }

  test('a model that was not pulled is replaced by quotations', async () => {
    const { told } = await facts(await serving({ models: [] }));
    expect(told[0]).toMatchObject({ type: 'started', provider: 'extractive', fallback: { from: 'ollama', code: 'model_unavailable' } });
  });

  test('a server that never says a word is replaced, and its request closed', async () => {
    const server = await serving({ chat: () => [{ stall: true }] });
    const { told } = await facts(server, reply, { firstTextMs: 50 });
    expect(told[0]).toMatchObject({ provider: 'extractive', fallback: { from: 'ollama', code: 'timeout' } });
    await server.chats[0]?.aborted;
  });

  test('a server that falls silent in the middle ends the reply as a timeout, and its request is closed', async () => {
    const server = await serving({ chat: () => [{ say: 'Light is fast. It' }, { stall: true }] });
    const { told, error } = await facts(server, reply, { stallMs: 50 });
    expect(told.filter((fact) => fact.type === 'sentence').map((fact) => fact.text)).toEqual(['Light is fast. ']);
    expect(error).toMatchObject({ name: 'ReplyFailure', code: 'timeout' });
    await server.chats[0]?.aborted;
  });

  test('a reply left after its first sentence goes on with the second', async () => {
    const server = await serving({ chat: () => [{ say: ' It' }, { say: ' is fast.' }] });
    const resume = { fromIndex: 1, prefix: 'Light is a wave. ', provider: 'ollama' };
    const { told } = await facts(server, { ...reply, resume });
    expect(told.filter((fact) => fact.type === 'sentence')).toEqual([{ type: 'sentence', index: 1, text: 'It is fast.', citations: [] }]);
  });
});
