import type { StreamName } from '@virtual-tutor/schemas';
import { chainHash, chainSeed, writtenForm } from '../app/chain.ts';
import type { AppendRequest, AppendResult, EventStore, StoredEvent } from '../app/ports.ts';

/** The reference: what every other adapter is held to. For tests; nothing outlives the process. */
export class MemoryEventStore implements EventStore {
  readonly #log: StoredEvent[] = [];
  readonly #streams = new Map<StreamName, StoredEvent[]>();
  readonly #commands = new Map<
    string,
    {
      readonly stream: StreamName;
      readonly fingerprint: string;
      readonly result: Extract<AppendResult, { status: 'appended' | 'duplicate' }>;
    }
  >();
  readonly #wakes = new Set<() => void>();

  async append(request: AppendRequest): Promise<AppendResult> {
    const known = this.#commands.get(request.commandId);
    if (known !== undefined) {
      const same = known.stream === request.stream && known.fingerprint === request.fingerprint;
      return same ? { ...known.result, status: 'duplicate' } : { status: 'command_reused' };
    }
    const stream = this.#streams.get(request.stream) ?? [];
    const expected = request.expected === 'none' ? 0 : request.expected;
    if (expected !== 'any' && expected !== stream.length) return { status: 'conflict', actualRevision: stream.length };
    // All or none: what has no form in JSON is refused before anything is written.
    const written = request.events.map((draft) => ({ draft, ...writtenForm(draft) }));
    const firstRevision = stream.length + 1;
    let head: Uint8Array = Buffer.from(stream.at(-1)?.hash ?? chainSeed(request.stream).toString('hex'), 'hex');
    for (const { draft, payload, contentHash } of written) {
      const revision = stream.length + 1;
      head = chainHash(head, { revision, id: draft.id, contentHash });
      const stored: StoredEvent = {
        ...structuredClone(draft),
        payload: JSON.parse(payload),
        stream: request.stream,
        revision,
        position: this.#log.length + 1,
        recordedAt: new Date().toISOString(),
        contentHash: contentHash.toString('hex'),
        hash: Buffer.from(head).toString('hex'),
      };
      stream.push(stored);
      this.#log.push(stored);
    }
    this.#streams.set(request.stream, stream);
    const result = { status: 'appended', firstRevision, lastRevision: stream.length, lastPosition: this.#log.length } as const;
    this.#commands.set(request.commandId, { stream: request.stream, fingerprint: request.fingerprint, result });
    for (const wake of this.#wakes) wake();
    return result;
  }

  async readStream(
    stream: StreamName,
    { after, limit }: { readonly after: number; readonly limit: number },
  ): Promise<readonly StoredEvent[]> {
    return (this.#streams.get(stream) ?? []).slice(after, after + limit);
  }

  async readAll({ after, limit }: { readonly after: number; readonly limit: number }): Promise<readonly StoredEvent[]> {
    return this.#log.slice(after, after + limit);
  }

  async head(): Promise<number> {
    return this.#log.length;
  }

  async listStreams({ prefix, after, limit }: { readonly prefix: string; readonly after: string; readonly limit: number }) {
    return [...this.#streams]
      .filter(([stream]) => stream.startsWith(prefix) && stream > after)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([stream, events]) => ({ stream, revision: events.length }));
  }

  onAppended(wake: () => void): () => void {
    this.#wakes.add(wake);
    return () => this.#wakes.delete(wake);
  }

  async close(): Promise<void> {
    this.#wakes.clear();
  }
}
