import type { StreamName } from '@virtual-tutor/schemas';
import type { AppendRequest, AppendResult, StoredEventDraft } from '../../packages/server/src/app/ports.ts';

/** What a store must have of an event: all but its place in the whole log, its hashes and the clock. */
export interface ModelEvent extends StoredEventDraft {
  readonly stream: StreamName;
  readonly revision: number;
}

type ModelResult = AppendResult extends infer R ? (R extends { readonly lastPosition: number } ? Omit<R, 'lastPosition'> : R) : never;

interface Answered {
  readonly request: AppendRequest;
  readonly firstRevision: number;
}

/** What an event log is, in the fewest words: the stores are held to it. No chain, no clock, no storage, no haste. */
export class LogModel {
  readonly #log: ModelEvent[] = [];
  readonly #answered = new Map<string, Answered>();

  get log(): readonly ModelEvent[] {
    return this.#log;
  }

  of(stream: StreamName): readonly ModelEvent[] {
    return this.#log.filter((event) => event.stream === stream);
  }

  append(request: AppendRequest): ModelResult {
    const { commandId, stream, expected, events, fingerprint } = request;
    const before = this.#answered.get(commandId);
    if (before !== undefined) {
      const isSame = before.request.stream === stream && before.request.fingerprint === fingerprint;
      if (!isSame) return { status: 'command_reused' };
      return { status: 'duplicate', firstRevision: before.firstRevision, lastRevision: before.firstRevision + events.length - 1 };
    }
    const actualRevision = this.of(stream).length;
    if (expected !== 'any' && expected !== (actualRevision === 0 ? 'none' : actualRevision)) return { status: 'conflict', actualRevision };
    const firstRevision = actualRevision + 1;
    this.#answered.set(commandId, { request, firstRevision });
    for (const [index, draft] of events.entries()) {
      // As RFC 8785 has it: a minus zero is a zero.
      this.#log.push({ ...draft, payload: JSON.parse(JSON.stringify(draft.payload)), stream, revision: firstRevision + index });
    }
    return { status: 'appended', firstRevision, lastRevision: actualRevision + events.length };
  }
}
