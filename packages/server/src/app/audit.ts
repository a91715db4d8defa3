import {
  type Appearance,
  type AuditedEvent,
  type ChainVerdict,
  type SessionId,
  type SessionState,
  type StreamName,
  streams,
  type TenantId,
} from '@virtual-tutor/schemas';
import { sessions } from './aggregates.ts';
import { appearancesOf } from './appearances.ts';
import { auditedOf } from './audited.ts';
import { verifyChain } from './chain.ts';
import type { EventCodec } from './event-codec.ts';
import type { Handle } from './handle.ts';
import type { EventStore, StoredEvent } from './ports.ts';
import type { Tail } from './tail.ts';

export interface AuditOptions {
  readonly store: EventStore;
  readonly codec: EventCodec;
  readonly handle: Handle;
  readonly tail: Tail;
}

const pageSize = 500;

/** The auditor's reading of the log. A session of another tenant is null, like one that never was. */
export class Audit {
  readonly #options: AuditOptions;

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  async events(
    tenantId: TenantId,
    { sessionId, after, limit }: { readonly sessionId: SessionId; readonly after: number; readonly limit: number },
  ): Promise<{ readonly items: AuditedEvent[]; readonly headRevision: number } | null> {
    const stream = streams.session(sessionId);
    const { revision } = await this.#options.handle.load(sessions, stream, { tenantId });
    if (revision === 0) return null;
    const page = await this.#options.store.readStream(stream, { after, limit });
    return { items: await Promise.all(page.map((stored) => auditedOf(this.#options.codec, stored))), headRevision: revision };
  }

  /** The fold right after `revision`; omitted: now. */
  async state(
    tenantId: TenantId,
    { sessionId, revision }: { readonly sessionId: SessionId; readonly revision?: number | undefined },
  ): Promise<{ readonly revision: number; readonly state: SessionState } | null> {
    const loaded = await this.#options.handle.load(sessions, streams.session(sessionId), { tenantId, revision });
    return loaded.revision === 0 ? null : { revision: loaded.revision, state: loaded.state };
  }

  /** Recomputes the stream's hash chain from its stored bytes. */
  async verify(tenantId: TenantId, sessionId: SessionId): Promise<ChainVerdict | null> {
    const stream = streams.session(sessionId);
    const [first] = await this.#options.store.readStream(stream, { after: 0, limit: 1 });
    if (first === undefined || first.meta.tenantId !== tenantId) return null;
    return verifyChain(stream, this.#read(stream));
  }

  /** How the tutor looked and sounded to the student, for whoever shows the lesson again. */
  appearances(tenantId: TenantId, sessionId: SessionId): Promise<readonly Appearance[] | null> {
    return appearancesOf({ handle: this.#options.handle, read: (stream) => this.#read(stream) }, { tenantId, sessionId });
  }

  /** Every event of the tenant after `position`, history first, then as it comes. */
  async *tail(tenantId: TenantId, position: number, signal: AbortSignal): AsyncGenerator<AuditedEvent, void, undefined> {
    let woken = Promise.withResolvers<void>();
    const wake = () => woken.resolve();
    const detach = this.#options.tail.onEvent(wake);
    signal.addEventListener('abort', wake);
    try {
      for (let after = position; !signal.aborted; ) {
        woken = Promise.withResolvers<void>();
        const page = await this.#options.store.readAll({ after, limit: pageSize });
        for (const stored of page) {
          after = stored.position;
          if (stored.meta.tenantId === tenantId) yield await auditedOf(this.#options.codec, stored);
          if (signal.aborted) return;
        }
        if (page.length < pageSize) await woken.promise;
      }
    } finally {
      detach();
      signal.removeEventListener('abort', wake);
    }
  }

  async *#read(stream: StreamName): AsyncGenerator<StoredEvent, void, undefined> {
    for (let after = 0; ; ) {
      const page = await this.#options.store.readStream(stream, { after, limit: pageSize });
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < pageSize) return;
      after = last.revision;
    }
  }
}
