import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createTutorClient, signInOnLoopback, TutorError } from '@virtual-tutor/sdk';
import { joinSession } from '@virtual-tutor/sdk/browser';
import { afterEach, describe, expect, test, vi } from 'vitest';

interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly input: Readonly<Record<string, unknown>>;
}

type Answer = (request: SeenRequest, response: ServerResponse) => void;

/** An engine of one answer after the other; the last one repeats. */
async function serve(...answers: readonly Answer[]) {
  const seen: SeenRequest[] = [];
  const server = createServer(async (request, response) => {
    const entry = await seenFrom(request);
    seen.push(entry);
    (answers[seen.length - 1] ?? answers.at(-1))?.(entry, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function seenFrom(request: IncomingMessage): Promise<SeenRequest> {
  const url = new URL(request.url ?? '/', 'http://engine');
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  const input = body === '' ? (url.searchParams.get('input') ?? '{}') : body;
  return { method: request.method ?? '', path: url.pathname, authorization: request.headers.authorization, input: JSON.parse(input) };
}

const data =
  (value: unknown): Answer =>
  (_request, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ result: { data: value } }));

const refusal =
  (status: number, tutor: object): Answer =>
  (_request, response) => {
    const error = { code: -32000, message: 'refused', data: { code: 'X', httpStatus: status, tutor } };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
  };

const cut: Answer = (_request, response) => response.destroy();

const engineUrl = 'http://localhost:9000';
const apiKey = 'vt_key_secret';
const session = { id: 's-1', tutorId: 'ada' };

describe('the control plane', () => {
  test('carries the key in a header, never in the address', async () => {
    await using engine = await serve(data(session));
    await createTutorClient({ url: engine.url, apiKey }).sessions.get('s-1');
    expect(engine.seen).toMatchObject([
      { method: 'GET', path: '/trpc/sessions.get', authorization: `Bearer ${apiKey}`, input: { sessionId: 's-1' } },
    ]);
    expect(JSON.stringify(engine.seen.map(({ path, input }) => [path, input]))).not.toContain(apiKey);
  });

  test('repeats a mutation whose answer was lost, as the same command', async () => {
    await using engine = await serve(
      cut,
      refusal(503, { code: 'unavailable', message: 'log', retryable: true, requestId: 'r' }),
      data(session),
    );
    await createTutorClient({ url: engine.url, apiKey }).sessions.end('s-1');
    const keys = engine.seen.map(({ input }) => input['idempotencyKey']);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f-]{14}7/);
  });

  test("gives each command its own key, and takes the caller's", async () => {
    await using engine = await serve(data(session));
    const client = createTutorClient({ url: engine.url, apiKey });
    const idempotencyKey = '0198a5c0-0000-7000-8000-000000000001';
    await client.sessions.end('s-1');
    await client.sessions.end('s-1');
    await client.sessions.end('s-1', { idempotencyKey });
    const keys = engine.seen.map(({ input }) => input['idempotencyKey']);
    expect(new Set(keys).size).toBe(3);
    expect(keys[2]).toBe(idempotencyKey);
  });

  test('tells a refusal with its code, request id and delay, and does not repeat what cannot succeed', async () => {
    await using engine = await serve(refusal(404, { code: 'not_found', message: 'no such session', retryable: false, requestId: 'r-9' }));
    const error = await createTutorClient({ url: engine.url, apiKey })
      .sessions.get('s-2')
      .catch((thrown: unknown) => thrown);
    expect(TutorError.is(error)).toBe(true);
    expect(error).toMatchObject({ code: 'not_found', message: 'no such session', retryable: false, requestId: 'r-9' });
    expect(engine.seen).toHaveLength(1);
  });

  test('takes the answer of a proxy that is not JSON as an engine out of reach', async () => {
    await using engine = await serve((_request, response) => response.writeHead(502).end('<html>bad gateway</html>'));
    await expect(createTutorClient({ url: engine.url, apiKey, maxRetries: 0 }).health()).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('says so when nobody listens', async () => {
    const client = createTutorClient({ url: 'http://127.0.0.1:1', apiKey, maxRetries: 0 });
    await expect(client.health()).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  });

  test('ends a call at its deadline, and at an abort', async () => {
    await using engine = await serve(() => {});
    const client = createTutorClient({ url: engine.url, apiKey });
    await expect(client.health({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'timeout' });
    const controller = new AbortController();
    const call = client.health({ signal: controller.signal });
    await vi.waitFor(() => expect(engine.seen).toHaveLength(2));
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'aborted' });
  });

  test('fetches pages as they are read', async () => {
    await using engine = await serve(
      data({ items: [{ id: 'a' }, { id: 'b' }], nextCursor: 'p2' }),
      data({ items: [{ id: 'c' }], nextCursor: null }),
    );
    const ids: string[] = [];
    for await (const { id } of createTutorClient({ url: engine.url, apiKey }).sessions.list({ status: 'active' })) {
      ids.push(id);
      if (id === 'b') expect(engine.seen).toHaveLength(1);
    }
    expect(ids).toEqual(['a', 'b', 'c']);
    expect(engine.seen.map(({ input }) => input)).toEqual([{ status: 'active' }, { status: 'active', cursor: 'p2' }]);
  });

  test('signs in on loopback without a credential', async () => {
    await using engine = await serve(data({ token: 't', expiresAt: '2026-01-01T00:00:00.000Z' }));
    expect(await signInOnLoopback(engine.url)).toMatchObject({ token: 't' });
    expect(engine.seen).toMatchObject([{ method: 'POST', path: '/trpc/console.signIn', authorization: undefined }]);
  });

  test('trades a one-time code in the body of a request', async () => {
    await using engine = await serve(data({ sessionId: 's-1', url: engineUrl, token: 't', expiresAt: '2026-01-01T00:00:00.000Z' }));
    expect(await joinSession(engine.url, 'once-only')).toMatchObject({ sessionId: 's-1', token: 't' });
    expect(engine.seen).toMatchObject([{ method: 'POST', path: '/trpc/sessions.join', input: { code: 'once-only' } }]);
  });
});

describe('in a browser', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test('an API key is refused without being repeated in the message, a console token is taken', () => {
    vi.stubGlobal('document', {});
    const withKey = () => createTutorClient({ url: engineUrl, apiKey });
    expect(withKey).toThrow(TutorError);
    expect(withKey).toThrow(/must not reach a browser/);
    expect(withKey).not.toThrow(/secret/);
    expect(createTutorClient({ url: engineUrl, apiKey: 'a.console.token' })).toHaveProperty('audit');
  });

  test("an operator's own page may take the risk by name", () => {
    vi.stubGlobal('document', {});
    expect(createTutorClient({ url: engineUrl, apiKey, allowApiKeyInBrowser: true })).toHaveProperty('audit');
  });
});

describe('the audit tail', () => {
  const stream = (...events: readonly number[]): Answer => {
    const lines = events.map((position) => `data: ${JSON.stringify({ position })}\nid: ${position}\n\n`);
    return (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`event: connected\ndata: {}\n\n${lines.join('')}`);
    };
  };
  const streamThenCut =
    (...events: readonly number[]): Answer =>
    (request, response) => {
      stream(...events)(request, response);
      response.end();
    };

  test('goes on after the last event it gave out when the stream breaks, and stops at a break', async () => {
    await using engine = await serve(streamThenCut(4, 5), cut, stream(6, 7));
    const positions: number[] = [];
    for await (const { position } of createTutorClient({ url: engine.url, apiKey }).audit.tail({ after: 3 })) {
      positions.push(position);
      if (position === 6) break;
    }
    expect(positions).toEqual([4, 5, 6]);
    expect(engine.seen.map(({ input }) => input['lastEventId'])).toEqual(['3', '5', '5']);
    expect(engine.seen[0]?.authorization).toBe(`Bearer ${apiKey}`);
  });

  test('throws the refusal of a key that may not read', async () => {
    await using engine = await serve(refusal(403, { code: 'forbidden', message: 'auditors only', retryable: false, requestId: 'r' }));
    const tail = createTutorClient({ url: engine.url, apiKey }).audit.tail()[Symbol.asyncIterator]();
    await expect(tail.next()).rejects.toMatchObject({ code: 'forbidden', message: 'auditors only' });
  });

  test('a reader slower than the log loses nothing', async () => {
    const all = Array.from({ length: 2_500 }, (_, at) => at + 1);
    const fromLog: Answer = (request, response) => stream(...all.slice(Number(request.input['lastEventId'])))(request, response);
    await using engine = await serve(fromLog);
    const positions: number[] = [];
    for await (const { position } of createTutorClient({ url: engine.url, apiKey }).audit.tail()) {
      if (positions.length === 0) await vi.waitFor(() => expect(engine.seen).toHaveLength(1));
      positions.push(position);
      if (position === all.length) break;
    }
    expect(positions).toEqual(all);
    expect(engine.seen.length).toBeGreaterThan(1);
  });

  test('ends with code aborted at a signal', async () => {
    await using engine = await serve(stream(1));
    const controller = new AbortController();
    const tail = createTutorClient({ url: engine.url, apiKey }).audit.tail({ signal: controller.signal })[Symbol.asyncIterator]();
    expect((await tail.next()).value).toEqual({ position: 1 });
    const next = tail.next();
    controller.abort();
    await expect(next).rejects.toMatchObject({ code: 'aborted' });
  });
});
