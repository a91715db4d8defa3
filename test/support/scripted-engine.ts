import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { initTRPC, TRPCError, tracked } from '@trpc/server';
import { createHTTPHandler } from '@trpc/server/adapters/standalone';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { api, type ErrorCode, errorCodes, type FeedItem, maxFrameBytes, parseFeedId, SessionId, TurnId } from '@virtual-tutor/schemas';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Addressed, ScriptedLesson, ScriptedReader } from './scripted-lesson.ts';

export const sessionId = SessionId.parse('0190b0a0-0000-7000-8000-000000000001');

/** The turn of the n-th message, from 0. */
export function turnNumber(n: number): TurnId {
  return TurnId.parse(`0190b0a0-0000-4000-8000-${n.toString(16).padStart(12, '0')}`);
}

interface Context {
  readonly token: string | null;
  readonly socket: WebSocket | null;
}

class Refusal extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode) {
    super(`refused: ${code}`);
    this.code = code;
  }
}

function refuse(code: ErrorCode): TRPCError {
  return new TRPCError({ code: errorCodes[code].trpc, message: code, cause: new Refusal(code) });
}

const t = initTRPC.context<Context>().create({
  isDev: false,
  sse: { ping: { enabled: true, intervalMs: 1_000 }, client: { reconnectAfterInactivityMs: 5_000 } },
  errorFormatter({ shape, error }) {
    const code = error.cause instanceof Refusal ? error.cause.code : 'internal';
    const tutor = { code, message: error.message, retryable: errorCodes[code].retryable, requestId: 'scripted' };
    return { ...shape, data: { code: shape.data.code, httpStatus: shape.data.httpStatus, tutor } };
  },
});

/** What a test may do to the engine, and what it saw. */
export class Script {
  readonly lesson = new ScriptedLesson();
  readonly validTokens = new Set(['token-1']);
  /** Every `chat.send` that arrived, repeats included. */
  readonly sent: { readonly clientMessageId: string; readonly text: string }[] = [];
  readonly interrupts: (string | undefined)[] = [];
  /** Resume points that subscriptions began with. */
  readonly resumed: (string | null)[] = [];
  readonly tokensSeen: (string | null)[] = [];
  openFeeds = 0;
  /** After how many feed items, over all subscriptions, the socket is cut; each number once. */
  readonly cutAfter = new Set<number>();
  itemsSent = 0;
  /** Refuse the next calls of `chat.send` with these, or do them and cut the socket before the answer, or fail after the feed told of it. */
  readonly nextSends: (ErrorCode | 'cut' | 'failLate')[] = [];
  /** Calls of `chat.send` wait for these, one each, after they arrived. */
  readonly gates: Promise<void>[] = [];
  /** Texts of the calls that arrived, whatever became of them. */
  readonly arrived: string[] = [];
  readonly nextSubscriptions: ErrorCode[] = [];
  onSend: (turnId: TurnId, message: { readonly clientMessageId: string; readonly text: string }) => void = () => {};
  onInterrupt: (turnId: TurnId) => void = () => {};
  readonly #turns = new Map<string, TurnId>();

  /** One turn per message, however often it comes. */
  take(message: { readonly clientMessageId: string; readonly text: string }): TurnId {
    this.sent.push(message);
    const known = this.#turns.get(message.clientMessageId);
    if (known !== undefined) return known;
    const turnId = turnNumber(this.#turns.size);
    this.#turns.set(message.clientMessageId, turnId);
    this.onSend(turnId, message);
    return turnId;
  }
}

/** What the reader is handed until the session ends or the signal aborts. */
async function* following(lesson: ScriptedLesson, reader: ScriptedReader, signal: AbortSignal): AsyncGenerator<Addressed, void, undefined> {
  while (!signal.aborted) {
    const next = reader.next();
    if (next === null) await lesson.changed(signal);
    else yield next;
    if (next?.item.type === 'sessionEnded') return;
  }
}

function routerOf(script: Script) {
  const authorized = t.procedure.use(({ ctx, next }) => {
    script.tokensSeen.push(ctx.token);
    if (ctx.token === null || !script.validTokens.has(ctx.token)) throw refuse('unauthorized');
    return next();
  });
  return t.router({
    session: t.router({
      events: authorized.input(api.session.events.input).subscription(async function* ({ ctx, input, signal }) {
        script.resumed.push(input.lastEventId ?? null);
        const failure = script.nextSubscriptions.shift();
        if (failure !== undefined) throw refuse(failure);
        const cursor = parseFeedId(input.lastEventId ?? '0.0');
        if (cursor === null) throw refuse('invalid_input');
        const reader = new ScriptedReader(script.lesson, cursor);
        script.openFeeds += 1;
        try {
          for await (const { id, item } of following(script.lesson, reader, signal ?? new AbortController().signal)) {
            yield tracked(id, item);
            script.itemsSent += 1;
            if (script.cutAfter.delete(script.itemsSent)) ctx.socket?.terminate();
          }
        } finally {
          script.openFeeds -= 1;
        }
        if (signal?.aborted === false) ctx.socket?.close(4410, 'the session has ended');
      }),
      renewToken: authorized
        .input(api.session.renewToken.input)
        .output(api.session.renewToken.output)
        .mutation(() => ({ sessionId, url: 'http://localhost:9000', token: 'token-2', expiresAt: '2030-01-01T00:00:00.000Z' })),
    }),
    chat: t.router({
      send: authorized
        .input(api.chat.send.input)
        .output(api.chat.send.output)
        .mutation(async ({ ctx, input }) => {
          script.arrived.push(input.text);
          await script.gates.shift();
          const fate = script.nextSends.shift();
          if (fate !== undefined && fate !== 'cut' && fate !== 'failLate') throw refuse(fate);
          const turnId = script.take({ clientMessageId: input.clientMessageId, text: input.text });
          if (fate === 'failLate') {
            // Opening and `caughtUp` came before.
            while (script.itemsSent <= script.lesson.revision) await new Promise((resolve) => setImmediate(resolve));
            throw refuse('internal');
          }
          if (fate === 'cut') {
            ctx.socket?.terminate();
            await new Promise(() => {});
          }
          return { turnId, revision: Math.max(script.lesson.revision, 1) };
        }),
      interrupt: authorized
        .input(api.chat.interrupt.input)
        .output(api.chat.interrupt.output)
        .mutation(({ input }) => {
          script.interrupts.push(input.turnId);
          const { live } = script.lesson;
          if (live === null) throw refuse('nothing_to_interrupt');
          script.onInterrupt(live.turnId);
          return { turnId: live.turnId };
        }),
    }),
  });
}

/** A real tRPC server on loopback over HTTP, SSE and WebSocket, playing a script. */
export class ScriptedEngine implements AsyncDisposable {
  readonly script = new Script();
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes, perMessageDeflate: false });
  readonly #handler: ReturnType<typeof applyWSSHandler>;
  connections = 0;

  private constructor() {
    const router = routerOf(this.script);
    const handle = createHTTPHandler({
      router,
      basePath: '/trpc/',
      createContext: ({ req }) => ({ token: bearerOf(req), socket: null }),
    });
    this.#server = createServer((request, response) => handle(request, response));
    this.#server.on('upgrade', (request, socket, head) => {
      this.connections += 1;
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#sockets.emit('connection', webSocket, request));
    });
    this.#handler = applyWSSHandler({
      wss: this.#sockets,
      router,
      createContext: ({ info, res }) => ({ token: info.connectionParams?.['token'] ?? null, socket: res }),
    });
  }

  static async start(): Promise<ScriptedEngine> {
    const engine = new ScriptedEngine();
    await new Promise<void>((resolve) => engine.#server.listen(0, '127.0.0.1', resolve));
    return engine;
  }

  get port(): number {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the engine does not listen');
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get openSockets(): number {
    return this.#sockets.clients.size;
  }

  /** Cuts every connection without a word. */
  cut(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
  }

  /** Tells every client to move to another connection. */
  askToMove(): void {
    this.#handler.broadcastReconnectNotification();
  }

  /** Closes every WebSocket with this code. */
  closeSockets(code: number): void {
    for (const socket of this.#sockets.clients) socket.close(code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function bearerOf(request: IncomingMessage): string | null {
  return /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? null;
}

/** The items of a question and the beginning of its reply. */
export function question(
  turnId: TurnId,
  { clientMessageId, text }: { readonly clientMessageId: string; readonly text: string },
): readonly FeedItem[] {
  return [
    { type: 'message', turnId, clientMessageId, modality: 'text', text, at: '2026-01-01T00:00:00.000Z' },
    { type: 'passages', turnId, passages: [] },
    { type: 'replyStarted', turnId, provider: 'scripted', model: 'm', fallback: null },
  ];
}

export const opening: FeedItem = {
  type: 'sessionOpened',
  locale: 'en',
  tutorId: 'newton',
  tutorName: 'Newton',
  greeting: 'Hello!',
  at: '2026-01-01T00:00:00.000Z',
};

export function completed(turnId: TurnId, sentences: number): FeedItem {
  return {
    type: 'replyCompleted',
    turnId,
    sentences,
    usage: null,
    timings: { asrMs: null, retrieveMs: 1, firstTokenMs: 2, firstAudioMs: null, firstFrameMs: null, totalMs: 3 },
  };
}
