export { createExtractiveLlm, type ExtractiveOptions } from './adapters/extractive.ts';
export { createMiniSearchIndex } from './adapters/minisearch-index.ts';
export { createOllamaLlm, type OllamaOptions } from './adapters/ollama.ts';
export { citationsIn } from './citations.ts';
export {
  type ConversationOptions,
  type ConversationPorts,
  converse,
  type ReplyFact,
  type ReplyRequest,
  type ReplyResume,
} from './conversation.ts';
export { splitDocument, splitterVersion } from './knowledge/passages.ts';
export {
  type ChatMessage,
  type Llm,
  type LlmChunk,
  type LlmHealth,
  type LlmRequest,
  LlmUnavailable,
  type Passage,
  type PassageIndex,
  type RankedPassage,
  type Retriever,
} from './ports.ts';
export { buildMessages, type HeardTurn, type PromptTutor, promptHash } from './prompt.ts';
export { ReplyFailure } from './reply-failure.ts';
export {
  advance,
  finish,
  type SegmenterOutput,
  type SegmenterState,
  sentencesOf,
  startSegmenter,
} from './turn/sentences.ts';
export type { Patience } from './watched-stream.ts';
