import {
  type Actor,
  type DocumentId,
  type DocumentMime,
  type KnowledgeBaseId,
  type StreamName,
  streams,
  type TenantId,
  type TutorId,
  type TutorSettings,
} from '@virtual-tutor/schemas';
import { tutors } from './aggregates.ts';
import { type ClearEvent, decodeClear } from './event-codec.ts';
import type { Handle } from './handle.ts';
import type { BlobStore, EventStore } from './ports.ts';

export interface MaterialsOptions {
  readonly handle: Handle;
  readonly store: EventStore;
  readonly blobs: BlobStore;
}

export interface TutorThen {
  readonly revision: number;
  readonly settings: TutorSettings;
  /** Who made it this revision, and when. */
  readonly configuredBy: Actor;
  readonly configuredAt: string;
}

export interface CourseDocument {
  readonly documentId: DocumentId;
  readonly title: string;
  readonly mime: DocumentMime;
  readonly text: string;
}

export interface CoursePage {
  readonly revision: number;
  /** In the order in which they were taken into the index. */
  readonly documents: readonly CourseDocument[];
  /** Documents read so far, to go on with; null: that was all. */
  readonly next: number | null;
}

interface Shelf {
  readonly knowledgeBaseId: KnowledgeBaseId;
  /** Omitted: now. */
  readonly revision?: number | undefined;
}

/** Least text in a page that is not the last, bytes; one document may be a megabyte. */
const pageBytes = 2_000_000;
const pageSize = 500;

/** What answers were made of, at any revision: a tutor's settings, a course's documents. Revisions that never were are null. */
export class Materials {
  readonly #options: MaterialsOptions;

  constructor(options: MaterialsOptions) {
    this.#options = options;
  }

  async tutor(
    tenantId: TenantId,
    { tutorId, revision }: { readonly tutorId: TutorId; readonly revision?: number | undefined },
  ): Promise<TutorThen | null> {
    const stream = streams.tutor(tenantId, tutorId);
    const loaded = await this.#options.handle.load(tutors, stream, { tenantId, revision });
    if (loaded.state.status === 'absent' || (revision !== undefined && loaded.revision !== revision)) return null;
    const [last] = await this.#options.store.readStream(stream, { after: loaded.revision - 1, limit: 1 });
    if (last === undefined) return null;
    const { actor, occurredAt } = last.meta;
    return { revision: loaded.revision, settings: loaded.state.settings, configuredBy: actor, configuredAt: occurredAt };
  }

  async course(tenantId: TenantId, wanted: Shelf & { readonly after: number }): Promise<CoursePage | null> {
    const shelf = await this.#shelf(tenantId, wanted);
    if (shelf === null) return null;
    const documents: CourseDocument[] = [];
    let bytes = 0;
    for (const { sha256, ...document } of shelf.documents.slice(wanted.after)) {
      if (bytes >= pageBytes) return { revision: shelf.revision, documents, next: wanted.after + documents.length };
      const content = await this.#options.blobs.get(sha256);
      if (content === null) throw new Error(`the blob of document ${document.documentId} is missing from the data folder`);
      documents.push({ ...document, text: new TextDecoder().decode(content) });
      bytes += content.length;
    }
    return { revision: shelf.revision, documents, next: null };
  }

  /** The documents that were in the index right after `revision`. */
  async #shelf(tenantId: TenantId, { knowledgeBaseId, revision: until }: Shelf) {
    const added = new Map<DocumentId, Omit<CourseDocument, 'text'> & { readonly sha256: string }>();
    const indexed = new Set<DocumentId>();
    let revision = 0;
    for await (const event of this.#upTo(streams.knowledge(tenantId, knowledgeBaseId), until)) {
      revision = event.stored.revision;
      if (event.type === 'DocumentAdded') {
        const { bytes: _, ...document } = event.payload;
        added.set(document.documentId, document);
      }
      if (event.type === 'DocumentIndexed') indexed.add(event.payload.documentId);
      if (event.type === 'DocumentRemoved') indexed.delete(event.payload.documentId);
    }
    if (revision === 0 || (until !== undefined && revision !== until)) return null;
    return { revision, documents: [...indexed].flatMap((documentId) => added.get(documentId) ?? []) };
  }

  async *#upTo(stream: StreamName, until = Number.POSITIVE_INFINITY): AsyncGenerator<ClearEvent, void, undefined> {
    for (let after = 0; after < until; ) {
      const page = await this.#options.store.readStream(stream, { after, limit: Math.min(pageSize, until - after) });
      yield* page.map(decodeClear);
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.revision;
    }
  }
}
