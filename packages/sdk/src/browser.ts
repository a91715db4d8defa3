import { defaultReconnect } from './backoff.ts';
import type { ConnectOptions, Grant, TutorSession } from './contract.ts';
import { apiKeyPrefix, endpoint } from './endpoint.ts';
import { aborted, TutorError } from './errors.ts';
import { Lesson } from './lesson.ts';
import type { OpenLink } from './link.ts';
import { LiveMedia } from './media/live-media.ts';
import { openApi, openEventStream, openSocket, translated } from './transport.ts';
import { within } from './waiting.ts';

export type * from './contract.ts';
export { TutorError } from './errors.ts';
export { emptyView } from './view.ts';

/** About a frame of the screen, ms. */
const frameMs = 16;
/** ms until a call over HTTP rejects with code `timeout`. */
const answerMs = 15_000;

/**
 * Joins a lesson. Resolves when its history is through; rejects with a `TutorError` when the token
 * is refused or the reconnect policy gives up first.
 */
export async function connectSession(options: ConnectOptions): Promise<TutorSession> {
  const { signal } = options;
  if (signal?.aborted === true) throw aborted(signal.reason);
  const lesson = new Lesson({
    sessionId: options.sessionId,
    token: options.token,
    open: linksFor(options),
    reconnect: options.reconnect ?? defaultReconnect,
    media: (host) => new LiveMedia(host),
    resume: options.resume,
    soon(tell) {
      const timer = setTimeout(tell, frameMs);
      return () => clearTimeout(timer);
    },
  });
  const close = () => void lesson.close();
  signal?.addEventListener('abort', close, { once: true });
  lesson.on('state', ({ state }) => {
    if (state === 'closed') signal?.removeEventListener('abort', close);
  });
  await lesson.ready();
  return lesson;
}

/** Trades the code of a one-time link for a grant, which `connectSession` takes as it is. A code works once. */
export async function joinSession(
  url: string,
  code: string,
  options: { readonly signal?: AbortSignal; readonly fetch?: typeof globalThis.fetch } = {},
): Promise<Grant> {
  const { signal, fetch } = options;
  const api = openApi({ url, credential: null, ...(fetch === undefined ? {} : { fetch }) });
  try {
    return await within({ signals: [signal], timeoutMs: answerMs }, (cut) => api.sessions.join.mutate({ code }, { signal: cut }));
  } catch (error) {
    throw translated(error);
  }
}

function linksFor(options: ConnectOptions): OpenLink {
  const { url, transport = 'ws' } = options;
  endpoint(url, 'ws');
  if (transport === 'sse') return (token) => openEventStream({ url, credential: refuseKey(token) });
  const given = options.WebSocket ?? globalThis.WebSocket;
  if (given === undefined) throw new TutorError('invalid_input', 'WebSocket: this runtime has none of its own, so pass one');
  return (token) => openSocket({ url, token: refuseKey(token), WebSocket: given });
}

function refuseKey(token: string): string {
  if (token.startsWith(apiKeyPrefix)) throw new TutorError('forbidden', 'token: give an engine token; an API key stays on your server');
  return token;
}
