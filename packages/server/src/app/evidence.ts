import { createHash } from 'node:crypto';
import { splitDocument } from '@virtual-tutor/engine';
import {
  catalogue,
  categoryOf,
  type EventCatalogue,
  type InclusionProof,
  type KnowledgeBaseId,
  type Seal,
  type SessionId,
  type StreamName,
  streams,
  type TenantId,
} from '@virtual-tutor/schemas';
import { z } from 'zod';
import { type PackedEvent, type PackedPassage, type PackHead, reportOf } from '../../evidence/verify-evidence.mjs';
import { type ClearEvent, decodeClear, type EventCodec } from './event-codec.ts';
import type { BlobStore, Clock, EventStore, StoredEvent } from './ports.ts';
import { sealHash } from './seal.ts';
import type { Seals } from './seals.ts';

/** One line of a pack, by its kind; what each holds is told in `evidence/verify-evidence.mjs`. */
export type EvidenceLine =
  | ({ readonly kind: 'pack' } & PackHead)
  | { readonly kind: 'schema'; readonly schema: EventSchema }
  | { readonly kind: 'seal'; readonly seal: Seal }
  | { readonly kind: 'event'; readonly event: PackedEvent }
  | { readonly kind: 'passage'; readonly passage: PackedPassage }
  | { readonly kind: 'report'; readonly report: string }
  | { readonly kind: 'end'; readonly lines: number };

interface EventSchema {
  readonly type: string;
  /** Newest version: how the payload of an older one becomes it, the engine's catalogue tells. */
  readonly version: number;
  /** JSON Schema. */
  readonly payload: unknown;
  readonly personal: unknown;
}

export interface EvidenceOptions {
  readonly store: EventStore;
  readonly codec: EventCodec;
  readonly seals: Pick<Seals, 'page' | 'prove'>;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  /** Of the engine. */
  readonly version: string;
}

export interface EvidenceRequest {
  readonly sessionId: SessionId;
  /** Without words and passages; it still verifies. */
  readonly redacted: boolean;
}

type DocumentAdded = Extract<ClearEvent, { readonly type: 'DocumentAdded' }>['payload'];

const pageSize = 500;

/** A lesson as evidence: what happened, the settings that were in force, and the seals over both. */
export class Evidence {
  readonly #options: EvidenceOptions;

  constructor(options: EvidenceOptions) {
    this.#options = options;
  }

  /** The lines of a pack; null: no such session. */
  async lines(tenantId: TenantId, request: EvidenceRequest): Promise<AsyncGenerator<EvidenceLine, void, undefined> | null> {
    const session = await this.#read(streams.session(request.sessionId));
    if (session[0]?.meta.tenantId !== tenantId) return null;
    return counted(this.#make(session, request));
  }

  async *#make(session: readonly StoredEvent[], { sessionId, redacted }: EvidenceRequest): AsyncGenerator<EvidenceLine, void, undefined> {
    const told = session.map(decodeClear);
    const course = await this.#course(told);
    const events = [...session, ...(await this.#tutor(told)), ...course];
    const proofs = new Map<number, InclusionProof>();
    for (const proof of (await this.#options.seals.prove(events.map(({ position }) => position))).proofs) proofs.set(proof.ordinal, proof);
    const newest = Math.max(-1, ...[...proofs.values()].map(({ sealNo }) => sealNo));
    const chain = await this.#seals(newest);
    const [root] = chain;
    const exportedAt = new Date(this.#options.clock.now()).toISOString();
    const pack: PackHead = {
      ...({ format: 'virtual-tutor-evidence', version: 1, sessionId, exportedAt } as const),
      ...{ engine: this.#options.version, redacted, fingerprint: root === undefined ? null : sealHash(root) },
    };
    yield { kind: 'pack', ...pack };
    for (const schema of schemasOf(events)) yield { kind: 'schema', schema };
    for (const seal of chain) yield { kind: 'seal', seal };
    const shown: (PackedEvent & { readonly personal: unknown })[] = [];
    for (const stored of events) {
      const event = await this.#packed(stored, { redacted, proof: proofs.get(stored.position) ?? null });
      shown.push({ ...event, personal: event.key === null ? null : await this.#words(stored) });
      yield { kind: 'event', event };
    }
    const passages = redacted ? [] : await this.#passages(told, course);
    for (const passage of passages) yield { kind: 'passage', passage };
    yield { kind: 'report', report: reportOf({ pack, events: shown, passages }) };
  }

  async #packed(
    stored: StoredEvent,
    { redacted, proof }: { readonly redacted: boolean; readonly proof: InclusionProof | null },
  ): Promise<PackedEvent> {
    const { stream, revision, position, id, type, schemaVersion, payload, meta, sealed, contentHash, hash } = stored;
    const key = redacted ? null : await this.#options.codec.disclose(stored);
    return {
      ...{ stream, revision, position, id, type, schemaVersion, payload, meta, contentHash, hash },
      // A ciphertext that nobody can open any more is no secret and no use.
      sealed: sealed === null || key === null ? null : Buffer.from(sealed).toString('base64'),
      sealedHash: sealed === null ? null : createHash('sha256').update(sealed).digest('hex'),
      key: key === null ? null : Buffer.from(key).toString('base64'),
      proof: proof === null ? null : { sealNo: proof.sealNo, path: proof.path },
    };
  }

  async #words(stored: StoredEvent): Promise<unknown> {
    const opened = await this.#options.codec.open(stored);
    return 'personal' in opened ? opened.personal : null;
  }

  /** The tutor's settings, up to the last that answered in this lesson. */
  async #tutor(told: readonly ClearEvent[]): Promise<readonly StoredEvent[]> {
    const [first] = told;
    if (first?.type !== 'SessionCreated') return [];
    const used = told.flatMap((event) =>
      event.type === 'ReplyStarted' || event.type === 'SessionCreated' ? [event.payload.tutorRevision] : [],
    );
    const events = await this.#read(streams.tutor(first.stored.meta.tenantId, first.payload.tutorId));
    return events.slice(0, Math.max(...used));
  }

  /** The knowledge base, up to the last revision that was searched. */
  async #course(told: readonly ClearEvent[]): Promise<readonly StoredEvent[]> {
    const bases = new Map<KnowledgeBaseId, number>();
    for (const event of told) {
      if (event.type !== 'PassagesRetrieved') continue;
      const { knowledgeBaseId, knowledgeRevision } = event.payload;
      bases.set(knowledgeBaseId, Math.max(knowledgeRevision, bases.get(knowledgeBaseId) ?? 0));
    }
    const tenantId = told[0]?.stored.meta.tenantId;
    if (tenantId === undefined) return [];
    const read = [...bases].map(async ([id, revision]) => (await this.#read(streams.knowledge(tenantId, id))).slice(0, revision));
    return (await Promise.all(read)).flat();
  }

  /** What the tutor was given to answer with, as it stood in the documents of then. */
  async #passages(told: readonly ClearEvent[], course: readonly StoredEvent[]): Promise<readonly PackedPassage[]> {
    const given = told.flatMap((event) => (event.type === 'PassagesRetrieved' ? event.payload.passages : []));
    const wanted = new Set(given.map(({ passageId }) => passageId));
    const documents = new Set(given.map(({ documentId }) => documentId));
    const found: PackedPassage[] = [];
    for (const { type, payload } of course.map(decodeClear)) {
      if (type !== 'DocumentAdded' || !documents.has(payload.documentId)) continue;
      const passages = (await this.#split(payload)).filter(({ passageId }) => wanted.has(passageId));
      found.push(...passages.map(({ passageId, title, text }) => ({ passageId, title, text })));
    }
    return found;
  }

  async #split({ documentId, title, mime, sha256 }: DocumentAdded) {
    const bytes = await this.#options.blobs.get(sha256);
    return bytes === null ? [] : splitDocument({ documentId, title, mime, text: new TextDecoder().decode(bytes) });
  }

  /** All seals up to number `newest`: each is trusted by the one before it. */
  async #seals(newest: number): Promise<readonly Seal[]> {
    const chain: Seal[] = [];
    while (chain.length <= newest) {
      const page = await this.#options.seals.page({ after: chain.length - 1, limit: pageSize });
      if (page.length === 0) break;
      chain.push(...page);
    }
    return chain.slice(0, newest + 1);
  }

  async #read(stream: StreamName): Promise<readonly StoredEvent[]> {
    const events: StoredEvent[] = [];
    for (;;) {
      const page = await this.#options.store.readStream(stream, { after: events.length, limit: pageSize });
      events.push(...page);
      if (page.length < pageSize) return events;
    }
  }
}

/** Says at the end how many lines there are, the last included. */
async function* counted(lines: AsyncIterable<EvidenceLine>): AsyncGenerator<EvidenceLine, void, undefined> {
  let count = 1;
  for await (const line of lines) {
    count += 1;
    yield line;
  }
  yield { kind: 'end', lines: count };
}

function schemasOf(events: readonly StoredEvent[]): readonly EventSchema[] {
  const types = new Map(events.map(({ stream, type }) => [type, stream]));
  return [...types].flatMap(([type, stream]) => {
    const known: EventCatalogue = catalogue[categoryOf(stream)];
    const definition = known[type];
    if (definition === undefined) return [];
    const asJson = (schema: z.ZodType) => z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' });
    const { version, payload, personal } = definition;
    return [{ type, version, payload: asJson(payload), personal: personal === undefined ? null : asJson(personal) }];
  });
}
