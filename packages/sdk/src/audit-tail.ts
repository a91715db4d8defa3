import type { AuditedEvent } from './contract.ts';
import { readLive } from './live-reader.ts';
import type { Api } from './transport.ts';

export interface TailOptions {
  readonly signal?: AbortSignal;
  /** Position; events after it. */
  readonly after?: number;
}

/** Every event of the tenant, from `after` on, without an end. */
export async function* tailEvents(api: Api, options: TailOptions): AsyncGenerator<AuditedEvent, void, undefined> {
  let after = options.after ?? 0;
  const events = readLive<AuditedEvent>(
    ({ onData, ...others }) => api.audit.tail.subscribe({ lastEventId: String(after) }, { ...others, onData: ({ data }) => onData(data) }),
    { signal: options.signal, isOver: () => false },
  );
  for await (const event of events) {
    after = event.position;
    yield event;
  }
}
