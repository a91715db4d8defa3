import { type Llm, type LlmChunk, type LlmRequest, LlmUnavailable } from './ports.ts';
import { ReplyFailure } from './reply-failure.ts';

export interface Patience {
  /** Longest wait for the first text, ms: a model server may have to load the model. */
  readonly firstTextMs: number;
  /** Longest silence between two pieces of text, ms. */
  readonly stallMs: number;
}

/**
 * The model's stream under a watch: one that falls silent ends as a `timeout`, an abort takes
 * effect at once even if the adapter sleeps, and however the stream ends, the adapter's signal is
 * aborted, so that no work goes on behind it.
 */
export async function* watched(
  llm: Llm,
  request: Omit<LlmRequest, 'signal'>,
  options: Patience & { readonly signal: AbortSignal },
): AsyncGenerator<LlmChunk, void, undefined> {
  const cancel = new AbortController();
  const signal = AbortSignal.any([options.signal, cancel.signal]);
  const cut = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(aborted()), { once: true }));
  cut.catch(() => undefined);
  let allowanceMs = options.firstTextMs;
  let stalled = false;
  let timer: NodeJS.Timeout | undefined;
  let chunks: AsyncIterator<LlmChunk> | undefined;
  try {
    options.signal.throwIfAborted();
    chunks = llm.generate({ ...request, signal })[Symbol.asyncIterator]();
    for (;;) {
      timer = setTimeout(() => {
        stalled = true;
        cancel.abort();
      }, allowanceMs);
      const result = await Promise.race([chunks.next(), cut]);
      clearTimeout(timer);
      if (result.done === true) return;
      yield result.value;
      allowanceMs = options.stallMs;
    }
  } catch (error) {
    if (options.signal.aborted) throw aborted();
    if (stalled) throw new ReplyFailure('timeout', `${llm.provider} sent nothing for ${allowanceMs} ms`);
    if (error instanceof LlmUnavailable) throw new ReplyFailure('model_unavailable', error.message, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
    cancel.abort();
    // Not awaited: an adapter that ignores its signal must not hold up the conversation.
    chunks?.return?.().catch(() => undefined);
  }
}

function aborted(): DOMException {
  return new DOMException('the reply was interrupted', 'AbortError');
}
