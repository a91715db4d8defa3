import { createTRPCClient, createWSClient, type TRPCClient, TRPCClientError, wsLink } from '@trpc/client';
import { errorOfClose } from './close-code.ts';
import type { MediaChunk, Signal } from './contract.ts';
import { asTutorError, fromWire, LinkLost, type TutorError } from './errors.ts';
import type { FeedItem } from './feed-item.ts';
import type { Link } from './link.ts';
import { type AppRouter, type ControlLinkOptions, controlLinks, type SocketOptions, socketOptions } from './trpc.ts';
import { deferred, within } from './waiting.ts';

export { ofUpload, uploadHeaders } from './trpc.ts';

export type Api = TRPCClient<AppRouter>;

export function openApi(options: ControlLinkOptions): Api {
  return createTRPCClient<AppRouter>({ links: controlLinks(options) });
}

/** What tRPC throws, as the error of this package. */
export function translated(error: unknown): TutorError {
  if (!(error instanceof TRPCClientError)) return asTutorError(error);
  const refusal = fromWire(error.data?.tutor);
  if (refusal !== null) return refusal;
  const { cause } = error;
  if (typeof cause === 'object' && cause !== null) {
    // A call under way when its socket closed has the close event as its cause; one not yet sent, tRPC's own error.
    if ('wasClean' in cause && 'code' in cause && typeof cause.code === 'number') return errorOfClose(cause.code);
    if ('name' in cause && cause.name === 'TRPCWebSocketClosedError') return new LinkLost('the connection was lost', cause);
  }
  return asTutorError(cause ?? error);
}

/** How long the engine may take to start the feed, and to answer a call, ms. */
const startMs = 10_000;
const answerMs = 15_000;

interface Lifeline {
  readonly down: AbortController;
  lose(error: TutorError): void;
}

function newLifeline(): Lifeline {
  const down = new AbortController();
  return {
    down,
    lose(error) {
      if (!down.signal.aborted) down.abort(error);
    },
  };
}

function linkOver(api: Api, lifeline: Lifeline, close: () => Promise<void>): Link {
  const { down, lose } = lifeline;
  const call = async <T>(signal: AbortSignal, work: (options: { signal: AbortSignal }) => Promise<T>): Promise<T> => {
    try {
      return await within({ signals: [down.signal, signal], timeoutMs: answerMs }, (cut) => work({ signal: cut }));
    } catch (error) {
      throw translated(error);
    }
  };
  return {
    down: down.signal,
    ...feedsOver(api, lifeline),
    send: (message, signal) => call(signal, (options) => api.chat.send.mutate(message, options)),
    interrupt: (reply, signal) => call(signal, (options) => api.chat.interrupt.mutate(reply, options)),
    renewToken: (sessionId, signal) => call(signal, (options) => api.session.renewToken.mutate({ sessionId }, options)),
    mediaConfig: (sessionId, signal) => call(signal, (options) => api.webrtc.config.query({ sessionId }, options)),
    negotiate: (offer, signal) => call(signal, (options) => api.webrtc.negotiate.mutate(offer, options)),
    appendAudio: async (audio, signal) => void (await call(signal, (options) => api.audio.append.mutate(audio, options))),
    commitAudio: async (sessionId, signal) => void (await call(signal, (options) => api.audio.commit.mutate({ sessionId }, options))),
    async close() {
      // Calls still under way go out again on the next link, or hear why there is none.
      lose(new LinkLost('the connection was closed'));
      await close();
    },
  };
}

interface FeedHandlers<Item> {
  readonly onStarted: () => void;
  readonly onData: (item: Item) => void;
  readonly onError: (error: unknown) => void;
  readonly onComplete: () => void;
}

/** Subscriptions that end with their link. */
function feedsOver(api: Api, { down, lose }: Lifeline): Pick<Link, 'follow' | 'signals' | 'chunks'> {
  const run = async <Item>(
    subscribe: (handlers: FeedHandlers<Item>) => { unsubscribe(): void },
    onItem: (item: Item) => void,
    signal?: AbortSignal,
  ): Promise<void> => {
    if (signal?.aborted === true) return;
    const { promise, resolve, reject } = deferred<void>();
    const late = setTimeout(() => lose(new LinkLost('the engine did not answer in time')), startMs);
    const onDown = () => reject(down.signal.reason);
    const onStop = () => resolve();
    down.signal.addEventListener('abort', onDown);
    signal?.addEventListener('abort', onStop);
    const subscription = subscribe({
      onStarted: () => clearTimeout(late),
      onData: onItem,
      onError: (error) => reject(translated(error)),
      // Closing the client completes what is under way: the reason for closing is then what counts.
      onComplete: () => (down.signal.aborted ? reject(down.signal.reason) : resolve()),
    });
    try {
      await promise;
    } finally {
      clearTimeout(late);
      down.signal.removeEventListener('abort', onDown);
      signal?.removeEventListener('abort', onStop);
      subscription.unsubscribe();
    }
  };
  return {
    follow: ({ sessionId, lastEventId, onItem }) =>
      run<{ readonly id: string; readonly data: FeedItem }>(
        (handlers) => api.session.events.subscribe({ sessionId, lastEventId }, handlers),
        ({ id, data }) => onItem(id, data),
      ),
    signals: ({ sessionId, onItem }, signal) =>
      run<Signal>((handlers) => api.webrtc.signals.subscribe({ sessionId }, handlers), onItem, signal),
    chunks: ({ sessionId, onItem }, signal) =>
      run<MediaChunk>((handlers) => api.session.media.subscribe({ sessionId }, handlers), onItem, signal),
  };
}

/**
 * One WebSocket. tRPC's client would reconnect for ever and in silence, so each one lives for a
 * single connection and is closed at its first trouble; whoever holds the link opens the next.
 */
export function openSocket(options: SocketOptions): Link {
  const lifeline = newLifeline();
  const gone = deferred<void>();
  const client = createWSClient({
    ...socketOptions(options),
    onError: () => lifeline.lose(new LinkLost('the connection failed')),
    onClose: (cause) => {
      gone.resolve();
      lifeline.lose(errorOfClose(cause?.code));
    },
  });
  lifeline.down.signal.addEventListener('abort', () => void client.close());
  // A socket that could not even be made has no events of its own.
  client.connectionState.subscribe({
    next: ({ error }) => {
      if (error !== null) lifeline.lose(translated(error));
    },
  });
  const api = createTRPCClient<AppRouter>({ links: [wsLink({ client })] });
  return linkOver(api, lifeline, async () => {
    await client.close();
    if (client.connection !== null) await gone.promise;
  });
}

/** For networks that break WebSockets: the feed as server-sent events, commands as HTTP requests. */
export function openEventStream(options: ControlLinkOptions): Link {
  return linkOver(openApi(options), newLifeline(), () => Promise.resolve());
}
