import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createHTTPHandler } from '@trpc/server/adapters/standalone';
import { protocolVersion } from '@virtual-tutor/schemas';
import sirv from 'sirv';
import type { App } from '../app/app.ts';
import type { Context } from './context.ts';
import { bearerOf, identify } from './credentials.ts';
import type { Metrics } from './metrics.ts';
import { isLocal, originIsAllowed } from './origin.ts';
import { appRouter } from './router.ts';
import { type Sockets, trpcPath } from './sockets.ts';

export interface HttpOptions {
  readonly app: App;
  readonly metrics: Metrics;
  readonly sockets: Sockets;
  readonly allowedOrigins: ReadonlySet<string>;
  /** Folder of the built page; null: none here. */
  readonly pageFolder: string | null;
  readonly onDefect: (error: unknown, path: string | undefined, requestId: string) => void;
}

/** A document of 1 MB, escaped as JSON at worst, and its envelope, bytes. */
const maxBodyBytes = 8 * 1024 * 1024;
const maxBatch = 10;

const pageHeaders = {
  'content-security-policy':
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

type Respond = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Control plane, health, metrics, the page, and the data plane's upgrades: everything of port 9000. */
export function createControlServer(options: HttpOptions): Server {
  const { app, metrics, sockets, onDefect } = options;
  const trpc = trpcHandler(options);
  const page = options.pageFolder === null ? noPage : sirv(options.pageFolder, { single: true, setHeaders: withPageHeaders });
  const routes: Readonly<Record<string, Respond>> = {
    '/health': async (_request, response) => {
      const health = await app.health();
      sendJson(response, health.status === 'down' ? 503 : 200, health);
    },
    '/metrics': async (request, response) => {
      const caller = await identify(app, bearerOf(request.headers.authorization));
      if (!isLocal(request, app) && caller.kind !== 'key')
        return sendJson(response, 401, { error: 'send an API key, or scrape from the engine machine' });
      response.setHeader('content-type', metrics.contentType).end(await metrics.read());
    },
  };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://engine').pathname;
    const respond = path.startsWith(`${trpcPath}/`) ? trpc : (routes[path] ?? page);
    Promise.resolve(respond(request, response)).catch((error: unknown) => {
      onDefect(error, path, 'none');
      if (!response.headersSent) sendJson(response, 500, { error: 'something is broken in the engine' });
    });
  });
  server.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head));
  server.on('clientError', (_error, socket) => socket.destroy());
  return server;
}

/** Data plane only, for operators who keep the planes on ports of their own. */
export function createDataServer(sockets: Sockets): Server {
  const server = createServer((_request, response) => sendJson(response, 404, { error: `WebSocket only, at ${trpcPath}` }));
  server.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head));
  return server;
}

function trpcHandler({ app, allowedOrigins, onDefect }: HttpOptions): Respond {
  const handler = createHTTPHandler({
    router: appRouter,
    basePath: `${trpcPath}/`,
    maxBodySize: maxBodyBytes,
    maxBatchSize: maxBatch,
    createContext: ({ req }) => contextOf(app, req),
    onError: ({ error, path, ctx }) => {
      if (error.code === 'INTERNAL_SERVER_ERROR') onDefect(error.cause ?? error, path, ctx?.requestId ?? 'none');
    },
  });
  return (request, response) => {
    const { origin } = request.headers;
    if (!originIsAllowed(request, allowedOrigins))
      return sendJson(response, 403, { error: 'this page may not call: add its origin to ALLOWED_ORIGINS' });
    if (origin !== undefined) allow(origin, response);
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    return handler(request, response);
  };
}

function allow(origin: string, response: ServerResponse): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'origin');
  response.setHeader(
    'access-control-allow-headers',
    'authorization, content-type, trpc-accept, last-event-id, x-vt-protocol, x-vt-upload-id, x-vt-upload-offset',
  );
  response.setHeader('access-control-allow-methods', 'GET, POST, OPTIONS');
  response.setHeader('access-control-max-age', '600');
}

async function contextOf(app: App, request: IncomingMessage): Promise<Context> {
  const version = request.headers['x-vt-protocol'];
  return {
    app,
    requestId: app.ids.next(),
    caller: await identify(app, bearerOf(request.headers.authorization)),
    address: request.socket.remoteAddress ?? 'unknown',
    local: isLocal(request, app),
    outdated: version !== undefined && version !== String(protocolVersion),
    connection: null,
    header: (name) => {
      const value = request.headers[name];
      return typeof value === 'string' ? value : null;
    },
  };
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

function withPageHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(pageHeaders)) response.setHeader(name, value);
}

function noPage(_request: IncomingMessage, response: ServerResponse): void {
  sendJson(response, 404, { error: 'the page is not built here: start with `npm start`, or use the API at /trpc' });
}
