export interface ServerEvent {
  /** `message` when the server gave it no other name. */
  readonly type: string;
  readonly data: string;
  /** '' before the first id. */
  readonly lastEventId: string;
}

export interface EventStreamRequest {
  readonly url: string;
  /** Where the credential goes: never into the URL. */
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal;
  readonly onEvent: (event: ServerEvent) => void;
}

/** A request that was answered with something else than a stream. */
export class NoEventStream extends Error {
  override readonly name = 'NoEventStream';
  /** The JSON of the answer; null when it was none. */
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    super(`no event stream: HTTP ${status}`);
    this.body = body;
  }
}

/** Three of the engine's pings; after that the network has lost us, ms. */
const silenceMs = 30_000;

/**
 * Reads an event stream over `fetch`, because the built-in `EventSource` cannot send headers.
 * Resolves when the stream ends; never reconnects by itself, so that its owner can do so with a fresh token.
 */
export async function readEventStream({ url, headers, fetch, signal, onEvent }: EventStreamRequest): Promise<void> {
  const cut = new AbortController();
  const stop = () => cut.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  const watch = () => setTimeout(() => cut.abort(new Error('the stream fell silent')), silenceMs);
  let watchdog = watch();
  try {
    const response = await fetch(url, { headers: { ...headers, accept: 'text/event-stream' }, signal: cut.signal, cache: 'no-store' });
    if (!response.ok || response.body === null) throw new NoEventStream(response.status, await response.json().catch(() => null));
    const parser = new EventStreamParser(onEvent);
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      clearTimeout(watchdog);
      watchdog = watch();
      parser.push(decoder.decode(chunk.value, { stream: true }));
    }
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener('abort', stop);
    cut.abort();
  }
}

/** The event stream format (https://html.spec.whatwg.org/multipage/server-sent-events.html section 9.2.6), however it is cut. */
export class EventStreamParser {
  readonly #onEvent: (event: ServerEvent) => void;
  #rest = '';
  #type = '';
  #data: string[] = [];
  #lastEventId = '';

  constructor(onEvent: (event: ServerEvent) => void) {
    this.#onEvent = onEvent;
  }

  push(text: string): void {
    const whole = this.#rest + text;
    // A CR at the end may be half of a CRLF.
    const end = whole.endsWith('\r') ? whole.length - 1 : whole.length;
    const lines = whole.slice(0, end).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '') + whole.slice(end);
    for (const line of lines) this.#take(line);
  }

  #take(line: string): void {
    if (line === '') {
      this.#dispatch();
      return;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#type = value;
    else if (field === 'id' && !value.includes('\0')) this.#lastEventId = value;
  }

  #dispatch(): void {
    const event = { type: this.#type || 'message', data: this.#data.join('\n'), lastEventId: this.#lastEventId };
    const empty = this.#data.length === 0;
    this.#type = '';
    this.#data = [];
    if (!empty) this.#onEvent(event);
  }
}
