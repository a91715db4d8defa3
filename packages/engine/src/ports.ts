import type { Locale, PassageId, TokenUsage } from '@virtual-tutor/schemas';

/* Types only. Voice and face have theirs in media/ports.ts. */

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** A piece of a document, cut the same way every time. */
export interface Passage {
  readonly passageId: PassageId;
  readonly documentId: string;
  /** Title of the document. */
  readonly title: string;
  readonly text: string;
  /** Hex SHA-256 of `text` in UTF-8. */
  readonly contentHash: string;
}

export interface RankedPassage extends Passage {
  /** The ranker's own scale; higher is better. */
  readonly score: number;
}

export interface LlmRequest {
  readonly model: string;
  /** 0 to 2. */
  readonly temperature: number;
  /** System prompt first, then what was said and shown, then the question with its passages. */
  readonly messages: readonly ChatMessage[];
  /** The student's words of this turn, bare; also described inside `messages`, like the next two. */
  readonly question: string;
  /**
   * What the tutor has already said of this very reply, exactly; '' for a new one. Generation goes
   * on right after it and does not repeat it.
   */
  readonly prefix: string;
  /** The retrieved passages, best first: `[1]` in a reply cites the first. */
  readonly passages: readonly RankedPassage[];
  /** Titles of the course's documents: what the student could ask about. */
  readonly topics: readonly string[];
  readonly language: Locale;
  /** The reply is spoken: it needs no pace of its own, since the voice has one. */
  readonly spoken: boolean;
  readonly signal: AbortSignal;
}

export type LlmChunk = { readonly type: 'text'; readonly text: string } | { readonly type: 'usage'; readonly usage: TokenUsage };

/** A text model. Throws `LlmUnavailable`; on abort the iterator ends by throwing an `AbortError` and the server's work is really cancelled. */
export interface Llm {
  /** `ollama`, `extractive`: recorded in `ReplyStarted`. */
  readonly provider: string;
  /** The one model it has, whatever a request says; null when requests choose. */
  readonly onlyModel: string | null;
  generate(request: LlmRequest): AsyncIterable<LlmChunk>;
  /** Is it there, and is this model on it? Never throws. */
  probe(model: string, signal: AbortSignal): Promise<LlmHealth>;
}

export type LlmHealth =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: 'server_unreachable' | 'model_missing' | 'bad_answer'; readonly reason: string };

/** The model cannot answer. `reason` names the server or model and what to do; it holds no prompt text. */
export class LlmUnavailable extends Error {
  override readonly name = 'LlmUnavailable';
  readonly code: 'server_unreachable' | 'model_missing' | 'bad_answer';
  constructor(code: LlmUnavailable['code'], reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.code = code;
  }
}

/** Full-text retrieval over one knowledge base's passages. */
export interface Retriever {
  /** Best first, at most `limit`; empty when nothing fits. Synchronous: the index is in memory. */
  search(query: string, limit: number): readonly RankedPassage[];
}

/** The searchable passages of one knowledge base, kept in step with its stream. */
export interface PassageIndex extends Retriever {
  /** All passages of one document; adding a document again replaces it. */
  add(passages: readonly Passage[]): void;
  /** Nothing happens when it is not there. */
  removeDocument(documentId: string): void;
  /** The passage as it was indexed; null when its document is gone. */
  passage(passageId: PassageId): Passage | null;
  /** Titles of the documents, in the order they came. */
  titles(): readonly string[];
}
