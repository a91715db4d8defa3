import {
  createWSClient,
  httpLink,
  jsonEncoder,
  type OperationResultEnvelope,
  retryLink,
  splitLink,
  TRPCClientError,
  type TRPCLink,
  type TRPCWebSocketClient,
  type WebSocketClientOptions,
  wsLink,
} from '@trpc/client';
import type { TRPCBuiltRouter, TRPCMutationProcedure, TRPCQueryProcedure, TRPCSubscriptionProcedure } from '@trpc/server';
import { type Observer, observable } from '@trpc/server/observable';
import { jitteredMs } from './backoff.ts';
import { endpoint } from './endpoint.ts';
import { fromWire } from './errors.ts';
import { NoEventStream, readEventStream, type ServerEvent } from './event-stream.ts';
import type { Procedures } from './procedures.ts';
import { withQuickClose } from './quick-close.ts';
import { protocolVersion, sdkVersion } from './version.ts';

export { emptyFeed, type FeedState, openFeed, receive, restarted } from './feed.ts';
export type { FeedItem } from './feed-item.ts';

interface RootTypes {
  ctx: object;
  meta: object;
  errorShape: {
    code: number;
    message: string;
    data: {
      code: string;
      httpStatus: number;
      tutor: { code: string; message: string; retryable: boolean; retryAfterMs?: number | undefined; requestId: string };
    };
  };
  transformer: false;
}

type BuiltProcedure<Kind, Input, Output> = Kind extends 'query'
  ? TRPCQueryProcedure<{ input: Input; output: Output; meta: object }>
  : Kind extends 'mutation'
    ? TRPCMutationProcedure<{ input: Input; output: Output; meta: object }>
    : Kind extends 'live'
      ? TRPCSubscriptionProcedure<{ input: Input; output: AsyncIterable<Output, void, unknown>; meta: object }>
      : TRPCSubscriptionProcedure<{ input: Input; output: AsyncIterable<{ id: string; data: Output }, void, unknown>; meta: object }>;

type Built<Record> = {
  [Name in keyof Record]: Record[Name] extends { kind: infer Kind; input: infer Input; output: infer Output }
    ? BuiltProcedure<Kind, Input, Output>
    : Built<Record[Name]>;
};

/** The engine's router as its clients see it, written by hand so that nothing of the engine comes along; type tests tie the two. */
export type AppRouter = TRPCBuiltRouter<RootTypes, Built<Procedures>>;

export interface ControlLinkOptions {
  /** Address of the engine, such as `http://localhost:9000`. */
  readonly url: string;
  /** An API key, a console token or an engine token; asked for each request. */
  readonly credential: string | null | (() => Promise<string>);
  readonly fetch?: typeof globalThis.fetch;
  /** What a call sends beside these, by its context: `uploadHeaders` for those who upload. */
  readonly headersOf?: (context: Readonly<Record<string, unknown>>) => Readonly<Record<string, string>>;
}

/**
 * Links of the control plane: one HTTP request a call, subscriptions as server-sent events, the
 * credential in a header only. A stream that broke ends with an error: subscribe again from the last id.
 */
export function controlLinks(options: ControlLinkOptions): TRPCLink<AppRouter>[] {
  const url = endpoint(options.url, 'http');
  const headers = () => headersFor(options.credential);
  const send: typeof globalThis.fetch = options.fetch ?? ((input, init) => fetch(input, init));
  const stream = eventStreamLink({ url, headers, fetch: send });
  const call = httpLink<AppRouter>({
    url,
    headers: async ({ op }) => ({ ...options.headersOf?.(op.context), ...(await headers()) }),
    fetch: (input, init) => send(input, { ...init, signal: init?.signal ?? null }),
  });
  return [splitLink({ condition: ({ type }) => type === 'subscription', true: stream, false: call })];
}

type StreamObserver = Observer<OperationResultEnvelope<unknown, TRPCClientError<AppRouter>>, TRPCClientError<AppRouter>>;

interface EventStreamLinkOptions {
  readonly url: string;
  readonly headers: () => Promise<Record<string, string>>;
  readonly fetch: typeof globalThis.fetch;
}

/** tRPC's own `httpSubscriptionLink` hides refusals from whoever cannot use the built-in `EventSource`, and is four times as large. */
function eventStreamLink({ url, headers, fetch }: EventStreamLinkOptions): TRPCLink<AppRouter> {
  return () =>
    ({ op }) =>
      observable((observer) => {
        const stop = new AbortController();
        const read = async () =>
          readEventStream({
            url: `${url}/${op.path}?input=${encodeURIComponent(JSON.stringify(op.input))}`,
            headers: await headers(),
            fetch,
            signal: stop.signal,
            onEvent: (event) => pass(event, observer),
          });
        read().then(
          () => observer.error(TRPCClientError.from(new Error('the stream ended'))),
          (error: unknown) => observer.error(clientError(error)),
        );
        return () => stop.abort();
      });
}

/** tRPC's event names: https://trpc.io/docs/client/links/httpSubscriptionLink */
function pass({ type, data, lastEventId: id }: ServerEvent, observer: StreamObserver): void {
  switch (type) {
    case 'connected':
      observer.next({ result: { type: 'started' } });
      break;
    case 'message':
      // Without an id: one of those that are live and never resumed.
      observer.next({ result: id === '' ? { data: JSON.parse(data) } : { id, data: { id, data: JSON.parse(data) } } });
      break;
    case 'return':
      observer.complete();
      break;
    case 'serialized-error':
      observer.error(TRPCClientError.from({ error: JSON.parse(data) }));
      break;
    default:
  }
}

function clientError(error: unknown): TRPCClientError<AppRouter> {
  if (error instanceof NoEventStream && typeof error.body === 'object' && error.body !== null) return TRPCClientError.from(error.body);
  return TRPCClientError.from(error instanceof Error ? error : new Error('the stream broke', { cause: error }));
}

async function headersFor(credential: ControlLinkOptions['credential']): Promise<Record<string, string>> {
  const version = { 'x-vt-protocol': String(protocolVersion) };
  if (credential === null) return version;
  return { ...version, authorization: `Bearer ${typeof credential === 'string' ? credential : await credential()}` };
}

interface PieceContext {
  readonly context: { readonly uploadId: string; readonly uploadOffset: number };
}

/** Options of an `avatars.upload`: which upload the piece is of, and where it begins, bytes from the start. */
export function ofUpload(uploadId: string, uploadOffset: number): PieceContext {
  return { context: { uploadId, uploadOffset } };
}

/** For `headersOf`: what `ofUpload` put into the context. */
export function uploadHeaders({ uploadId, uploadOffset }: Readonly<Record<string, unknown>>): Record<string, string> {
  return uploadId === undefined ? {} : { 'x-vt-upload-id': String(uploadId), 'x-vt-upload-offset': String(uploadOffset) };
}

export interface SocketOptions {
  readonly url: string;
  /** The engine token, or how to get one: asked for each connection. */
  readonly token: string | (() => Promise<string>);
  /** For runtimes without a global `WebSocket`. */
  readonly WebSocket?: typeof WebSocket;
}

/** ms without a message before the engine is asked for a sign of life, and how long it may take to give one. */
const keepAlive = { enabled: true, intervalMs: 5_000, pongTimeoutMs: 3_000 };

/**
 * Passes over the engine's notice that it is going away. tRPC would move the subscription to another
 * socket and resume it unseen by whoever folds the feed; the close that follows the notice is enough.
 */
const encoder: typeof jsonEncoder = {
  ...jsonEncoder,
  decode(data) {
    const message: unknown = jsonEncoder.decode(data);
    const isNotice = typeof message === 'object' && message !== null && 'method' in message;
    return isNotice ? { id: null, result: { type: 'stopped' } } : message;
  },
};

export function socketOptions({ url, token, WebSocket: given }: SocketOptions): WebSocketClientOptions {
  return {
    url: endpoint(url, 'ws'),
    WebSocket: withQuickClose(given ?? WebSocket),
    connectionParams: async () => ({
      token: typeof token === 'string' ? token : await token(),
      protocolVersion: String(protocolVersion),
      sdkVersion,
    }),
    keepAlive,
    experimental_encoder: encoder,
  };
}

/**
 * Links of the data plane for frontends that bring their own tRPC client. `session.events` resumes
 * by itself: fold it with `restarted` in `onStarted` and `receive` in `onData`, from `emptyFeed` on.
 * Close the client when done.
 */
export function lessonLinks(options: SocketOptions): { readonly links: TRPCLink<AppRouter>[]; readonly client: TRPCWebSocketClient } {
  const client = createWSClient({ ...socketOptions(options), retryDelayMs: (attempt) => jitteredMs(attempt) });
  const retry = retryLink<AppRouter>({
    retry: ({ op, error, attempts }) => op.type === 'subscription' && attempts <= 10 && fromWire(error.data?.tutor)?.retryable === true,
    retryDelayMs: (attempt) => jitteredMs(attempt),
  });
  return { links: [retry, wsLink({ client })], client };
}
