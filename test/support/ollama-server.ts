import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/*
 * A stand-in for Ollama's HTTP API on loopback, at the level of bytes on the wire. It is no model:
 * it says what the test tells it to say.
 */

/** What a chat does next. Without `status`, `stall` or `cut` it ends as Ollama does: with a `done` line and token counts. */
export type ChatStep =
  /** One streamed line. */
  | { readonly say: string }
  /** Bytes as they are; a string is UTF-8. */
  | { readonly raw: string | Uint8Array }
  /** Goes on when it resolves. */
  | { readonly wait: Promise<void> }
  /** Answers with this status and body instead of a stream; first step only. */
  | { readonly status: number; readonly body: string }
  /** Sends nothing more and keeps the connection open. */
  | { readonly stall: true }
  /** Destroys the connection. */
  | { readonly cut: true };

export interface ChatBody {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly stream: boolean;
  readonly think?: boolean;
  readonly options?: Readonly<Record<string, number>>;
}

export interface ChatCall {
  readonly body: ChatBody;
  /** True once the client went away before the answer was complete. */
  readonly wasAborted: boolean;
  /** Resolves when the client goes away before the answer is complete. */
  readonly aborted: Promise<void>;
}

export interface OllamaServer extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Chats so far, oldest first. */
  readonly chats: readonly ChatCall[];
  close(): Promise<void>;
}

export interface OllamaServerOptions {
  /** Default `['small:latest']`. */
  readonly models?: readonly string[];
  /** Default: goes on with "One two three." wherever the assistant's last message leaves off, like a model that is sure of its text. */
  readonly chat?: (body: ChatBody) => readonly ChatStep[];
  /** 0: any free port. */
  readonly port?: number;
}

export async function startOllamaServer(options: OllamaServerOptions = {}): Promise<OllamaServer> {
  const { models = ['small:latest'], chat = (body) => continuing(body, 'One two three.'), port = 0 } = options;
  const chats: ChatCall[] = [];
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const route = `${request.method} ${request.url}`;
    if (route === 'GET /') return void response.end('Ollama is running');
    if (route === 'GET /api/version') return json(response, 200, { version: '0.0.0-stand-in' });
    if (route === 'GET /api/tags') return json(response, 200, { models: models.map((name) => ({ name, model: name })) });
    if (route !== 'POST /api/chat' && route !== 'POST /api/show') return void response.writeHead(404).end('404 page not found');
    const body: ChatBody = JSON.parse(await textOf(request));
    if (!models.includes(body.model) && !models.includes(`${body.model}:latest`)) {
      return json(response, 404, { error: `model '${body.model}' not found` });
    }
    if (route === 'POST /api/show') return json(response, 200, { capabilities: ['completion'] });
    chats.push(observe(body, response));
    await perform(chat(body), body, response);
  };

  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${portOf(server.address())}`, chats, close, [Symbol.asyncDispose]: close };
}

/** Word by word, what `text` has after the assistant's last message. */
export function continuing(body: ChatBody, text: string): readonly ChatStep[] {
  const last = body.messages.at(-1);
  const said = last?.role === 'assistant' && text.startsWith(last.content) ? last.content.length : 0;
  return (text.slice(said).match(/\s*\S+/g) ?? []).map((say) => ({ say }));
}

function observe(body: ChatBody, response: ServerResponse): ChatCall {
  let wasAborted = false;
  const aborted = new Promise<void>((resolve) => {
    response.once('close', () => {
      if (response.writableFinished) return;
      wasAborted = true;
      resolve();
    });
  });
  return {
    body,
    aborted,
    get wasAborted() {
      return wasAborted;
    },
  };
}

async function perform(steps: readonly ChatStep[], body: ChatBody, response: ServerResponse): Promise<void> {
  const line = (content: string, rest: object) =>
    `${JSON.stringify({ model: body.model, created_at: '2026-01-01T00:00:00Z', message: { role: 'assistant', content }, ...rest })}\n`;
  const start = () => response.headersSent || response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  let said = 0;
  for (const step of steps) {
    if (response.destroyed) return;
    if ('status' in step) return void response.writeHead(step.status, { 'content-type': 'application/json' }).end(step.body);
    if ('wait' in step) {
      await step.wait;
      continue;
    }
    start();
    if ('stall' in step) return response.flushHeaders();
    if ('cut' in step) return void setImmediate(() => response.destroy());
    said += 1;
    await new Promise((resolve) => response.write('say' in step ? line(step.say, { done: false }) : step.raw, resolve));
  }
  start();
  response.end(line('', { done: true, done_reason: 'stop', prompt_eval_count: body.messages.length, eval_count: said }));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new TypeError('the stand-in listens on no port');
  return address.port;
}
