import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { closeCodes, maxFrameBytes, protocolVersion } from '@virtual-tutor/schemas';
import { type WebSocket, WebSocketServer } from 'ws';
import type { App } from '../app/app.ts';
import type { Caller, Connection, Context } from './context.ts';
import { identify } from './credentials.ts';
import { isLocal, originIsAllowed } from './origin.ts';
import { appRouter } from './router.ts';

export interface SocketOptions {
  readonly app: App;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly onDefect: (error: unknown, path: string | undefined, requestId: string) => void;
}

/** Path of tRPC, for HTTP and WebSocket alike. */
export const trpcPath = '/trpc';

/** A reader's socket may hold this much before the next item waits, bytes. */
const highWaterBytes = 256 * 1024;
/** How long a socket may stand above the mark before it is cut, ms. */
const stallMs = 15_000;
const pollMs = 25;
const maxSubscriptions = 20;
const maxBatch = 10;
/** Timers longer than this overflow, ms. */
const longestTimerMs = 2 ** 31 - 1;

/** The WebSocket side of tRPC. */
export class Sockets {
  readonly #options: SocketOptions;
  readonly #server: WebSocketServer;
  readonly #handler: ReturnType<typeof applyWSSHandler>;

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes, perMessageDeflate: false });
    this.#handler = applyWSSHandler({
      wss: this.#server,
      router: appRouter,
      createContext: ({ req, res, info }) => this.#contextOf(req, res, info.connectionParams),
      onError: ({ error, path, ctx }) => {
        if (error.code === 'INTERNAL_SERVER_ERROR' && !isBadFrame(error.cause))
          options.onDefect(error.cause ?? error, path, ctx?.requestId ?? 'none');
      },
      maxBatchSize: maxBatch,
      keepAlive: { enabled: true, pingMs: 15_000, pongWaitMs: 5_000 },
    });
  }

  get open(): number {
    return this.#server.clients.size;
  }

  /** Takes an HTTP upgrade over, or answers it with what is wrong. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = new URL(request.url ?? '/', 'http://engine').pathname;
    if (path !== trpcPath) {
      refuseUpgrade(socket, 404, `no WebSocket here: connect to ${trpcPath} (the old /ws/{connection_id} is gone)`);
      return;
    }
    if (!originIsAllowed(request, this.#options.allowedOrigins)) {
      refuseUpgrade(socket, 403, 'this page may not connect: add its origin to ALLOWED_ORIGINS');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => webSocket.terminate());
      this.#server.emit('connection', webSocket, request);
    });
  }

  /** Tells every client to come back, and closes. */
  async close(): Promise<void> {
    this.#handler.broadcastReconnectNotification();
    for (const client of this.#server.clients) client.close(closeCodes.goingAway, 'the engine is stopping');
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const timer = setTimeout(() => {
      for (const client of this.#server.clients) client.terminate();
    }, 1_000);
    await closed;
    clearTimeout(timer);
  }

  async #contextOf(request: IncomingMessage, webSocket: WebSocket, params: Readonly<Record<string, unknown>> | null): Promise<Context> {
    const { app } = this.#options;
    const token = params?.['token'];
    const caller = await identify(app, typeof token === 'string' ? token : null);
    closeOnExpiry(webSocket, caller, app.clock.now());
    const version = params?.['protocolVersion'];
    return {
      app,
      requestId: app.ids.next(),
      caller,
      address: request.socket.remoteAddress ?? 'unknown',
      local: isLocal(request, app),
      outdated: version !== undefined && version !== String(protocolVersion),
      connection: connectionOf(webSocket),
      header: () => null,
    };
  }
}

/** A frame that breaks the protocol or its limits: the client's fault, answered by closing its socket. */
function isBadFrame(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('WS_ERR_');
}

function refuseUpgrade(socket: Duplex, status: 403 | 404, reason: string): void {
  const body = JSON.stringify({ error: reason });
  const head = [
    `HTTP/1.1 ${status} ${status === 404 ? 'Not Found' : 'Forbidden'}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** A token is checked once per connection, so the connection must not outlive it. */
function closeOnExpiry(webSocket: WebSocket, caller: Caller, nowMs: number): void {
  if (caller.kind !== 'student' && caller.kind !== 'console') return;
  const timer = setTimeout(
    () => webSocket.close(closeCodes.tokenExpired, 'the token has expired'),
    Math.min(Math.max(caller.expiresAtMs - nowMs, 0), longestTimerMs),
  );
  timer.unref();
  webSocket.once('close', () => clearTimeout(timer));
}

function connectionOf(webSocket: WebSocket): Connection {
  let subscriptions = 0;
  return {
    async drained(signal) {
      for (let waitedMs = 0; webSocket.bufferedAmount > highWaterBytes; waitedMs += pollMs) {
        if (signal.aborted) return;
        if (waitedMs >= stallMs) {
          // A close frame would stand in the same queue: cut it.
          webSocket.terminate();
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
    },
    subscribe() {
      if (subscriptions >= maxSubscriptions) return null;
      subscriptions += 1;
      return {
        [Symbol.dispose]() {
          subscriptions -= 1;
        },
      };
    },
    close: (code, reason) => webSocket.close(code, reason),
  };
}
