import type { DocumentId, DocumentMime, DocumentRejection, KnowledgeEvent, NewKnowledgeEvent } from '@virtual-tutor/schemas';
import { accept, type Decider, type Decision, refuse } from './decision.ts';

export interface KnowledgeDocument {
  readonly title: string;
  readonly mime: DocumentMime;
  readonly sha256: string;
  readonly status: 'adding' | 'indexed' | 'rejected' | 'removed';
}

export type KnowledgeState =
  | { readonly status: 'absent' }
  | { readonly status: 'active'; readonly name: string; readonly documents: ReadonlyMap<DocumentId, KnowledgeDocument> };

export type KnowledgeCommand =
  | { readonly type: 'CreateKnowledgeBase'; readonly name: string }
  | {
      readonly type: 'AddDocument';
      readonly documentId: DocumentId;
      readonly title: string;
      readonly mime: DocumentMime;
      readonly bytes: number;
      readonly sha256: string;
    }
  | { readonly type: 'RecordIndexed'; readonly documentId: DocumentId; readonly passages: number; readonly embedder: string }
  | { readonly type: 'RejectDocument'; readonly documentId: DocumentId; readonly code: DocumentRejection }
  | { readonly type: 'RemoveDocument'; readonly documentId: DocumentId };

type Active = Extract<KnowledgeState, { status: 'active' }>;

function add(command: Extract<KnowledgeCommand, { type: 'AddDocument' }>, state: Active): Decision<NewKnowledgeEvent> {
  const known = state.documents.get(command.documentId);
  if (known !== undefined) {
    return known.sha256 === command.sha256 ? accept() : refuse('command_reused', 'this idempotency key already added another document');
  }
  const { type: _, ...document } = command;
  return accept({ type: 'DocumentAdded', payload: document });
}

function decideActive(command: Exclude<KnowledgeCommand, { type: 'CreateKnowledgeBase' }>, state: Active): Decision<NewKnowledgeEvent> {
  if (command.type === 'AddDocument') return add(command, state);
  const document = state.documents.get(command.documentId);
  if (document === undefined) return refuse('not_found', 'there is no such document');
  const { documentId } = command;
  switch (command.type) {
    case 'RecordIndexed':
      return document.status === 'adding'
        ? accept({ type: 'DocumentIndexed', payload: { documentId, passages: command.passages, embedder: command.embedder } })
        : accept();
    case 'RejectDocument':
      return document.status === 'adding' ? accept({ type: 'DocumentRejected', payload: { documentId, code: command.code } }) : accept();
    case 'RemoveDocument':
      return document.status === 'removed' ? accept() : accept({ type: 'DocumentRemoved', payload: { documentId } });
  }
}

function withStatus(state: KnowledgeState, documentId: DocumentId, status: KnowledgeDocument['status']): KnowledgeState {
  const document = state.status === 'active' ? state.documents.get(documentId) : undefined;
  if (state.status !== 'active' || document === undefined) throw new Error('an event names a document that was never added');
  return { ...state, documents: new Map(state.documents).set(documentId, { ...document, status }) };
}

export const knowledgeBase: Decider<KnowledgeState, KnowledgeCommand, KnowledgeEvent, NewKnowledgeEvent> = {
  initial: { status: 'absent' },
  evolve(state, event) {
    switch (event.type) {
      case 'KnowledgeBaseCreated':
        return { status: 'active', name: event.payload.name, documents: new Map() };
      case 'DocumentAdded': {
        if (state.status !== 'active') throw new Error('a document was added before its knowledge base was created');
        const { documentId, title, mime, sha256 } = event.payload;
        return { ...state, documents: new Map(state.documents).set(documentId, { title, mime, sha256, status: 'adding' }) };
      }
      case 'DocumentIndexed':
        return withStatus(state, event.payload.documentId, 'indexed');
      case 'DocumentRejected':
        return withStatus(state, event.payload.documentId, 'rejected');
      case 'DocumentRemoved':
        return withStatus(state, event.payload.documentId, 'removed');
    }
  },
  decide(command, state) {
    if (command.type === 'CreateKnowledgeBase') {
      if (state.status === 'absent') return accept({ type: 'KnowledgeBaseCreated', payload: { name: command.name } });
      return state.name === command.name ? accept() : refuse('conflict', 'a knowledge base with this id exists already: choose another id');
    }
    return state.status === 'absent' ? refuse('not_found', 'there is no such knowledge base') : decideActive(command, state);
  },
};
