import { type PassageIndex, type RankedPassage, splitDocument, splitterVersion } from '@virtual-tutor/engine';
import {
  type DocumentId,
  type DocumentMime,
  idOf,
  type KnowledgeBaseId,
  KnowledgeBaseId as KnowledgeBaseIdSchema,
  type PassageId,
  type StreamName,
  streams,
  type TenantId,
} from '@virtual-tutor/schemas';
import type { KnowledgeCommand } from '../domain/knowledge-base.ts';
import { knowledgeBases } from './aggregates.ts';
import { type ClearEvent, decodeClear } from './event-codec.ts';
import type { Handle } from './handle.ts';
import { commandIdOf } from './ids.ts';
import type { BlobStore, EventStore, StoredEvent } from './ports.ts';

/** One knowledge base, ready to be searched. */
export interface Shelf {
  /** Revision of the knowledge base's stream that the index stands at: what answers cite. */
  readonly revision: number;
  readonly titles: readonly string[];
  search(query: string, limit: number): readonly RankedPassage[];
  /** Those that are still there, in the order asked for. */
  passages(wanted: readonly { readonly passageId: PassageId; readonly score: number }[]): readonly RankedPassage[];
}

export interface LibraryOptions {
  readonly store: EventStore;
  readonly blobs: BlobStore;
  readonly handle: Handle;
  readonly createIndex: () => PassageIndex;
  readonly node: string;
  readonly onDefect: (error: unknown) => void;
}

interface DocumentEntry {
  readonly title: string;
  readonly mime: DocumentMime;
  readonly sha256: string;
}

interface Holding {
  revision: number;
  readonly index: PassageIndex;
  /** Added, whether or not they are in the index yet. */
  readonly documents: Map<DocumentId, DocumentEntry>;
  /** Events are taken in one after the other. */
  work: Promise<void>;
}

const pageSize = 500;

/** All knowledge bases' indexes, in memory, kept in step with the log. */
export class Library {
  readonly #options: LibraryOptions;
  readonly #holdings = new Map<StreamName, Holding>();

  constructor(options: LibraryOptions) {
    this.#options = options;
  }

  /** Reads every knowledge base from the log, and indexes documents that a stopped process left waiting. */
  async open(): Promise<void> {
    const { store } = this.#options;
    for (let after = ''; ; ) {
      const found = await store.listStreams({ prefix: 'knowledge-', after, limit: pageSize });
      for (const { stream } of found) await this.#readStream(stream);
      const last = found.at(-1);
      if (last === undefined || found.length < pageSize) return;
      after = last.stream;
    }
  }

  /** Told of every event, in order. */
  follow(event: ClearEvent): void {
    if (!event.stored.stream.startsWith('knowledge-')) return;
    this.#enqueue(event);
  }

  /** Null until its first event has come. */
  find(tenantId: TenantId, knowledgeBaseId: KnowledgeBaseId): Shelf | null {
    const holding = this.#holdings.get(streams.knowledge(tenantId, knowledgeBaseId));
    if (holding === undefined) return null;
    const { index } = holding;
    return {
      revision: holding.revision,
      titles: index.titles(),
      search: (query, limit) => index.search(query, limit),
      passages: (wanted) =>
        wanted.flatMap(({ passageId, score }) => {
          const passage = index.passage(passageId);
          return passage === null ? [] : [{ ...passage, score }];
        }),
    };
  }

  /** Resolves when everything that was told so far is in the indexes. */
  async settled(): Promise<void> {
    await Promise.all([...this.#holdings.values()].map((holding) => holding.work));
  }

  async #readStream(stream: StreamName): Promise<void> {
    for (let after = 0; ; ) {
      const page: readonly StoredEvent[] = await this.#options.store.readStream(stream, { after, limit: pageSize });
      for (const stored of page) this.#enqueue(decodeClear(stored));
      const last = page.at(-1);
      if (last === undefined || page.length < pageSize) break;
      after = last.revision;
    }
    await this.#holdings.get(stream)?.work;
  }

  #enqueue(event: ClearEvent): void {
    const { stream } = event.stored;
    const holding = this.#holdings.get(stream) ?? {
      revision: 0,
      index: this.#options.createIndex(),
      documents: new Map<DocumentId, DocumentEntry>(),
      work: Promise.resolve(),
    };
    this.#holdings.set(stream, holding);
    holding.work = holding.work.then(() => this.#take(event, holding)).catch(this.#options.onDefect);
  }

  async #take(event: ClearEvent, holding: Holding): Promise<void> {
    if (event.stored.revision <= holding.revision) return;
    switch (event.type) {
      case 'DocumentAdded': {
        const { documentId, title, mime, sha256 } = event.payload;
        holding.documents.set(documentId, { title, mime, sha256 });
        // Not awaited: its own answer comes back as the event after this one.
        this.#judge(event.stored, documentId, { title, mime, sha256 }).catch(this.#options.onDefect);
        break;
      }
      case 'DocumentIndexed':
        holding.index.add(await this.#split(event.payload.documentId, holding.documents.get(event.payload.documentId)));
        break;
      case 'DocumentRemoved':
        holding.index.removeDocument(event.payload.documentId);
        holding.documents.delete(event.payload.documentId);
        break;
      default:
        break;
    }
    holding.revision = event.stored.revision;
  }

  /** Policy: a document that was added is indexed, or rejected with a reason. Repeating it changes nothing. */
  async #judge(stored: StoredEvent, documentId: DocumentId, document: DocumentEntry): Promise<void> {
    const { tenantId } = stored.meta;
    const passages = await this.#split(documentId, document);
    await this.#options.handle.handle({
      aggregate: knowledgeBases,
      stream: streams.knowledge(tenantId, KnowledgeBaseIdSchema.parse(idOf(stored.stream))),
      commands: (): readonly KnowledgeCommand[] => [
        passages.length > 0
          ? { type: 'RecordIndexed', documentId, passages: passages.length, embedder: splitterVersion }
          : { type: 'RejectDocument', documentId, code: 'no_passages' },
      ],
      context: {
        tenantId,
        actor: { kind: 'system', id: this.#options.node },
        commandId: commandIdOf('index', stored.id),
        patienceMs: 60_000,
      },
    });
  }

  async #split(documentId: DocumentId, document: DocumentEntry | undefined) {
    if (document === undefined) return [];
    const bytes = await this.#options.blobs.get(document.sha256);
    if (bytes === null) throw new Error(`the blob of document ${documentId} is missing from the data folder`);
    return splitDocument({ documentId, title: document.title, mime: document.mime, text: new TextDecoder().decode(bytes) });
  }
}
