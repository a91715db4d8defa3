import type { ErrorCode, Locale, PassageId, TokenUsage } from '@virtual-tutor/schemas';
import { citationsIn } from './citations.ts';
import type { Llm, LlmChunk, RankedPassage } from './ports.ts';
import { buildMessages, type HeardTurn, type PromptTutor, promptHash } from './prompt.ts';
import { ReplyFailure } from './reply-failure.ts';
import { advance, finish, type SegmenterOutput, startSegmenter } from './turn/sentences.ts';
import { type Patience, watched } from './watched-stream.ts';

/** Longest reply, in characters; a model that does not stop by then never will. */
const maxReplyLength = 20_000;

export interface ReplyRequest {
  readonly question: string;
  /** The language to answer in. */
  readonly language: Locale;
  readonly tutor: PromptTutor & {
    readonly model: string;
    /** 0 to 2. */
    readonly temperature: number;
  };
  /** Finished turns before this one, oldest first. */
  readonly history: readonly HeardTurn[];
  /** What the retriever found, best first: `[1]` cites the first. */
  readonly passages: readonly RankedPassage[];
  /** Titles of the course's documents. */
  readonly topics: readonly string[];
  /** The student hears the reply instead of reading it. */
  readonly spoken: boolean;
  /** Null: a new reply. */
  readonly resume: ReplyResume | null;
}

/** A reply that another host, or this one before a crash, left unfinished. */
export interface ReplyResume {
  /** Index of the first sentence still to be made. */
  readonly fromIndex: number;
  /** The sentences before it, joined. */
  readonly prefix: string;
  /** Who made them, as `ReplyStarted` says: the same one goes on where it can. */
  readonly provider: string;
}

export interface ConversationPorts {
  readonly llm: Llm;
  /** Steps in when `llm` gives nothing; null: then the reply fails. */
  readonly fallback: Llm | null;
}

export interface ConversationOptions extends Patience {
  readonly signal: AbortSignal;
}

/** In this order: one `started`, then of each sentence its deltas and itself, then one `done`. */
export type ReplyFact =
  | {
      readonly type: 'started';
      readonly provider: string;
      readonly model: string;
      readonly promptHash: string;
      readonly temperature: number;
      /** Who was asked first and why it did not answer. */
      readonly fallback: { readonly from: string; readonly code: ErrorCode } | null;
    }
  | Extract<SegmenterOutput, { type: 'delta' }>
  | { readonly type: 'sentence'; readonly index: number; readonly text: string; readonly citations: readonly PassageId[] }
  | { readonly type: 'done'; readonly usage: TokenUsage | null };

/**
 * The live reply of one turn. Throws `ReplyFailure`, or an `AbortError` once `options.signal`
 * aborts; leaving the loop early cancels the model's work as well.
 */
export async function* converse(
  request: ReplyRequest,
  ports: ConversationPorts,
  options: ConversationOptions,
): AsyncGenerator<ReplyFact, void, undefined> {
  const opening = await open(request, ports, options);
  try {
    yield opening.started;
    yield* tell(request, opening);
  } finally {
    await opening.chunks.return();
  }
}

/** A reply that has begun: its first chunk has come. */
interface Opening {
  readonly started: Started;
  readonly first: LlmChunk | null;
  readonly chunks: AsyncGenerator<LlmChunk, void, undefined>;
}
type Started = Extract<ReplyFact, { type: 'started' }>;

async function open(request: ReplyRequest, ports: ConversationPorts, options: ConversationOptions): Promise<Opening> {
  const { llm, fallback } = ports;
  if (fallback === null) return openWith(llm, request, { ...options, steppedInFor: null });
  if (request.resume?.provider === fallback.provider) return openWith(fallback, request, { ...options, steppedInFor: null });
  try {
    return await openWith(llm, request, { ...options, steppedInFor: null });
  } catch (error) {
    if (!(error instanceof ReplyFailure)) throw error;
    return openWith(fallback, request, { ...options, steppedInFor: { from: llm.provider, code: error.code } });
  }
}

async function openWith(
  llm: Llm,
  request: ReplyRequest,
  options: ConversationOptions & { readonly steppedInFor: Started['fallback'] },
): Promise<Opening> {
  const { question, passages, topics, language, spoken } = request;
  const { temperature } = request.tutor;
  const prefix = request.resume?.prefix ?? '';
  const model = llm.onlyModel ?? request.tutor.model;
  const messages = buildMessages(request);
  const hash = promptHash({ model, temperature, messages });
  const started: Started = {
    type: 'started',
    provider: llm.provider,
    model,
    promptHash: hash,
    temperature,
    fallback: options.steppedInFor,
  };
  const chunks = watched(llm, { model, temperature, messages, question, prefix, passages, topics, language, spoken }, options);
  const first = await chunks.next();
  const nothing = first.done === true || first.value.type === 'usage';
  // Going on after a prefix, a model may find that all is said.
  if (nothing && prefix === '') throw new ReplyFailure('model_unavailable', `${llm.provider} gave an empty answer`);
  return { started, first: first.done === true ? null : first.value, chunks };
}

async function* tell(request: ReplyRequest, opening: Opening): AsyncGenerator<ReplyFact, void, undefined> {
  let state = startSegmenter({ index: request.resume?.fromIndex ?? 0, prefix: request.resume?.prefix ?? '' });
  let usage: TokenUsage | null = null;
  let length = 0;
  for await (const chunk of fromFirst(opening)) {
    if (chunk.type === 'usage') {
      usage = chunk.usage;
      continue;
    }
    length += chunk.text.length;
    if (length > maxReplyLength) throw new ReplyFailure('model_unavailable', 'the model did not come to an end');
    const [next, outputs] = advance(state, chunk.text);
    state = next;
    for (const output of outputs) yield withCitations(output, request.passages);
  }
  for (const output of finish(state)[1]) yield withCitations(output, request.passages);
  yield { type: 'done', usage };
}

async function* fromFirst({ first, chunks }: Opening): AsyncGenerator<LlmChunk, void, undefined> {
  if (first !== null) yield first;
  yield* chunks;
}

function withCitations(output: SegmenterOutput, passages: readonly RankedPassage[]): ReplyFact {
  return output.type === 'delta' ? output : { ...output, citations: citationsIn(output.text, passages) };
}
