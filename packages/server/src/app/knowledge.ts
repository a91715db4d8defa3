import {
  type Document,
  type DocumentId,
  type DocumentMime,
  type KnowledgeBase,
  type KnowledgeBaseId,
  streams,
  type TenantId,
} from '@virtual-tutor/schemas';
import type { Refusal } from '../domain/decision.ts';
import type { KnowledgeCommand } from '../domain/knowledge-base.ts';
import { knowledgeBases } from './aggregates.ts';
import type { CommandContext, Handle } from './handle.ts';
import { documentIdOf } from './ids.ts';
import type { Outcome } from './lessons.ts';
import type { Library } from './library.ts';
import type { BlobStore, EventStore, Ids } from './ports.ts';
import type { Page, PageRequest, Projections, ReadModel } from './read-model.ts';
import type { Tail } from './tail.ts';

export interface KnowledgeOptions {
  readonly handle: Handle;
  readonly store: EventStore;
  readonly tail: Tail;
  readonly library: Library;
  readonly blobs: BlobStore;
  readonly ids: Ids;
  readonly readModel: ReadModel;
  readonly projections: Projections;
}

export interface NewDocument {
  readonly knowledgeBaseId: KnowledgeBaseId;
  readonly title: string;
  readonly mime: DocumentMime;
  readonly text: string;
  readonly idempotencyKey?: string | undefined;
}

/** How long adding a document waits for its index before it answers `adding`, ms. */
const indexWaitMs = 5_000;
const notThere: Refusal = { code: 'not_found', message: 'there is no such knowledge base' };

export class Knowledge {
  readonly #options: KnowledgeOptions;

  constructor(options: KnowledgeOptions) {
    this.#options = options;
  }

  find(tenantId: TenantId, knowledgeBaseId: KnowledgeBaseId): Promise<KnowledgeBase | null> {
    return this.#options.readModel.knowledgeBase(tenantId, knowledgeBaseId);
  }

  page(tenantId: TenantId, request: PageRequest): Promise<Page<KnowledgeBase>> {
    return this.#options.readModel.knowledgeBases(tenantId, request);
  }

  async documents(tenantId: TenantId, knowledgeBaseId: KnowledgeBaseId, request: PageRequest): Promise<Outcome<Page<Document>>> {
    if ((await this.find(tenantId, knowledgeBaseId)) === null) return { refused: notThere };
    return this.#options.readModel.documents(tenantId, knowledgeBaseId, request);
  }

  async create(knowledgeBaseId: KnowledgeBaseId, name: string, context: CommandContext): Promise<Outcome<KnowledgeBase>> {
    return this.#command(knowledgeBaseId, { type: 'CreateKnowledgeBase', name }, context);
  }

  removeDocument(knowledgeBaseId: KnowledgeBaseId, documentId: DocumentId, context: CommandContext): Promise<Outcome<KnowledgeBase>> {
    return this.#command(knowledgeBaseId, { type: 'RemoveDocument', documentId }, context);
  }

  /** The text becomes a blob before the log speaks of it; then waits a moment for the index. */
  async addDocument(document: NewDocument, context: CommandContext): Promise<Outcome<Document>> {
    const { knowledgeBaseId, title, mime } = document;
    const { tenantId } = context;
    const bytes = new TextEncoder().encode(document.text);
    const sha256 = await this.#options.blobs.put(bytes);
    const documentId = documentIdOf(tenantId, document.idempotencyKey ?? this.#options.ids.next());
    const command: KnowledgeCommand = { type: 'AddDocument', documentId, title, mime, bytes: bytes.length, sha256 };
    const added = await this.#command(knowledgeBaseId, command, context);
    if ('refused' in added) return added;
    await this.#judged(tenantId, knowledgeBaseId, documentId);
    const head = await this.#options.store.head();
    await this.#options.projections.waitFor(head);
    return (await this.#document(tenantId, knowledgeBaseId, documentId)) ?? { refused: notThere };
  }

  async #judged(tenantId: TenantId, knowledgeBaseId: KnowledgeBaseId, documentId: DocumentId): Promise<void> {
    const stream = streams.knowledge(tenantId, knowledgeBaseId);
    const settled = Promise.withResolvers<void>();
    const timer = setTimeout(() => settled.resolve(), indexWaitMs);
    const look = async () => {
      const { state } = await this.#options.handle.load(knowledgeBases, stream, { tenantId });
      if (state.status === 'active' && state.documents.get(documentId)?.status !== 'adding') settled.resolve();
    };
    const detach = this.#options.tail.onStream(stream, () => void look().catch(() => undefined));
    try {
      await look();
      await settled.promise;
      await this.#options.library.settled();
    } finally {
      clearTimeout(timer);
      detach();
    }
  }

  async #document(tenantId: TenantId, knowledgeBaseId: KnowledgeBaseId, documentId: DocumentId): Promise<Document | null> {
    for (let cursor: string | undefined; ; ) {
      const page = await this.#options.readModel.documents(tenantId, knowledgeBaseId, { cursor, limit: 200 });
      const found = page.items.find((document) => document.id === documentId);
      if (found !== undefined) return found;
      if (page.nextCursor === null) return null;
      cursor = page.nextCursor;
    }
  }

  async #command(knowledgeBaseId: KnowledgeBaseId, command: KnowledgeCommand, context: CommandContext): Promise<Outcome<KnowledgeBase>> {
    const stream = streams.knowledge(context.tenantId, knowledgeBaseId);
    const handled = await this.#options.handle.handle({ aggregate: knowledgeBases, stream, commands: () => [command], context });
    if (handled.status === 'refused') return { refused: handled.refusal };
    if (handled.position !== null) await this.#options.projections.waitFor(handled.position);
    return (await this.find(context.tenantId, knowledgeBaseId)) ?? { refused: notThere };
  }
}
