export interface FetchEventSourceOptions {
  /** Asked for each request: where the credential goes, so that it never stands in a URL. */
  readonly headers: () => Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>;
  readonly fetch?: typeof globalThis.fetch;
}

interface ServerEvent {
  type: string;
  data: string;
}

/**
 * An `EventSource` over `fetch`, because the built-in one cannot send headers. It never reconnects by
 * itself: when the stream ends it is closed, and its owner opens the next one with a fresh token.
 */
export class FetchEventSource extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSED = 2;
  readyState: number = FetchEventSource.CONNECTING;
  readonly #stop = new AbortController();

  constructor(url: string, options?: FetchEventSourceOptions) {
    super();
    this.#read(url, options).then(
      () => this.#fail(new Error('the stream ended')),
      (error: unknown) => this.#fail(error),
    );
  }

  close(): void {
    this.readyState = FetchEventSource.CLOSED;
    this.#stop.abort();
  }

  async #read(url: string, options: FetchEventSourceOptions | undefined): Promise<void> {
    const send = options?.fetch ?? fetch;
    const headers = { ...(await options?.headers()), accept: 'text/event-stream' };
    const response = await send(url, { headers, signal: this.#stop.signal, cache: 'no-store' });
    if (!response.ok || response.body === null) throw new Error(`the engine answered with HTTP ${response.status}`);
    this.readyState = FetchEventSource.OPEN;
    const parser = new EventStreamParser((event, id) => this.#tell(event, id));
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      parser.push(decoder.decode(chunk.value, { stream: true }));
    }
  }

  #tell({ type, data }: ServerEvent, lastEventId: string): void {
    if (this.readyState === FetchEventSource.OPEN) this.dispatchEvent(new MessageEvent(type, { data, lastEventId }));
  }

  #fail(error: unknown): void {
    if (this.readyState === FetchEventSource.CLOSED) return;
    this.close();
    this.dispatchEvent(Object.assign(new Event('error'), { error }));
  }
}

/** The event stream format (https://html.spec.whatwg.org/multipage/server-sent-events.html section 9.2.6), however it is cut. */
export class EventStreamParser {
  readonly #onEvent: (event: ServerEvent, lastEventId: string) => void;
  #rest = '';
  #type = '';
  #data: string[] = [];
  #lastEventId = '';

  constructor(onEvent: (event: ServerEvent, lastEventId: string) => void) {
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
    const event = { type: this.#type || 'message', data: this.#data.join('\n') };
    const empty = this.#data.length === 0;
    this.#type = '';
    this.#data = [];
    if (!empty) this.#onEvent(event, this.#lastEventId);
  }
}
