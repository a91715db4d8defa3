import { createTRPCClient, createWSClient, type TRPCClient, TRPCClientError, wsLink } from '@trpc/client';
import { errorOfClose } from './close-code.ts';
import { asTutorError, fromWire, LinkLost, type TutorError } from './errors.ts';
import type { Link } from './link.ts';
import { type AppRouter, type ControlLinkOptions, controlLinks, type SocketOptions, socketOptions } from './trpc.ts';
import { deferred, within } from './waiting.ts';

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

function linkOver(api: Api, { down, lose }: Lifeline, close: () => Promise<void>): Link {
  const call = async <T>(signal: AbortSignal, work: (options: { signal: AbortSignal }) => Promise<T>): Promise<T> => {
    try {
      return await within({ signals: [down.signal, signal], timeoutMs: answerMs }, (cut) => work({ signal: cut }));
    } catch (error) {
      throw translated(error);
    }
  };
  return {
    down: down.signal,
    async follow({ sessionId, lastEventId, onItem }) {
      const { promise, resolve, reject } = deferred<void>();
      const late = setTimeout(() => lose(new LinkLost('the engine did not answer in time')), startMs);
      const onDown = () => reject(down.signal.reason);
      down.signal.addEventListener('abort', onDown);
      const subscription = api.session.events.subscribe(
        { sessionId, lastEventId },
        {
          onStarted: () => clearTimeout(late),
          onData: ({ id, data }) => onItem(id, data),
          onError: (error) => reject(translated(error)),
          // Closing the client completes what is under way: the reason for closing is then what counts.
          onComplete: () => (down.signal.aborted ? reject(down.signal.reason) : resolve()),
        },
      );
      try {
        await promise;
      } finally {
        clearTimeout(late);
        down.signal.removeEventListener('abort', onDown);
        subscription.unsubscribe();
      }
    },
    send: (message, signal) => call(signal, (options) => api.chat.send.mutate(message, options)),
    interrupt: (reply, signal) => call(signal, (options) => api.chat.interrupt.mutate(reply, options)),
    renewToken: (sessionId, signal) => call(signal, (options) => api.session.renewToken.mutate({ sessionId }, options)),
    async close() {
      // Calls still under way go out again on the next link, or hear why there is none.
      lose(new LinkLost('the connection was closed'));
      await close();
    },
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
