import { type ChatResponse, Ollama } from 'ollama';
import { type Llm, type LlmChunk, type LlmHealth, type LlmRequest, LlmUnavailable } from '../ports.ts';
import { Continuation } from './continuation.ts';
import { garbled, missingModel, ollamaFetch, unreachable } from './ollama-fetch.ts';

export interface OllamaOptions {
  /** `OLLAMA_BASE_URL`, e.g. `http://127.0.0.1:11434`. */
  readonly baseUrl: string;
  /** Tokens of context asked of the server, prompt and reply; > 0. Default 8192; Ollama's own silently drops the start of longer prompts. */
  readonly contextTokens?: number;
  /** Longest reply, tokens; > 0. Default 1024. */
  readonly replyTokens?: number;
}

/** A model on an Ollama server. Every request has a client of its own: the package's `abort()` ends all requests of a client. */
export function createOllamaLlm({ baseUrl, contextTokens = 8_192, replyTokens = 1_024 }: OllamaOptions): Llm {
  const server = baseUrl.replace(/\/\/[^/@]*@/, '//');
  const client = (model: string, signal: AbortSignal) => new Ollama({ host: baseUrl, fetch: ollamaFetch({ server, model, signal }) });

  const chat = async (request: LlmRequest, signal: AbortSignal) =>
    client(request.model, signal).chat({
      model: request.model,
      messages: withPrefix(request),
      stream: true,
      // Thinking would keep the student waiting.
      think: false,
      options: { temperature: request.temperature, num_ctx: contextTokens, num_predict: replyTokens },
    });

  return {
    provider: 'ollama',
    onlyModel: null,

    async *generate(request) {
      const cancel = new AbortController();
      const continuation = new Continuation(request.prefix);
      try {
        for await (const chunk of await chat(request, AbortSignal.any([request.signal, cancel.signal]))) {
          // Lines that came before the abort may still wait to be read.
          request.signal.throwIfAborted();
          yield* told(chunk, continuation);
        }
      } catch (error) {
        request.signal.throwIfAborted();
        throw asUnavailable(error, server);
      } finally {
        cancel.abort();
      }
    },

    async probe(model, signal): Promise<LlmHealth> {
      try {
        const { models } = await client(model, signal).list();
        const names = models.map(({ name }) => name);
        if (!names.includes(model) && !names.includes(`${model}:latest`)) throw missingModel(model, server);
        return { ok: true };
      } catch (error) {
        const { code, message } = asUnavailable(error, server);
        return { ok: false, code, reason: message };
      }
    },
  };
}

function told(chunk: ChatResponse, continuation: Continuation): readonly LlmChunk[] {
  const text = continuation.add(chunk.message.content) + (chunk.done ? continuation.end() : '');
  const words: readonly LlmChunk[] = text === '' ? [] : [{ type: 'text', text }];
  if (!chunk.done) return words;
  return [...words, { type: 'usage', usage: { promptTokens: chunk.prompt_eval_count ?? 0, completionTokens: chunk.eval_count ?? 0 } }];
}

/** Ollama goes on after a last message of the assistant. */
function withPrefix({ messages, prefix }: LlmRequest) {
  const sent = messages.map(({ role, content }) => ({ role, content }));
  return prefix === '' ? sent : [...sent, { role: 'assistant', content: prefix.trimEnd() }];
}

/** No cause is kept of an answer that could not be read: a parser's message quotes what it read. */
function asUnavailable(error: unknown, server: string): LlmUnavailable {
  if (error instanceof LlmUnavailable) return error;
  const isNetwork =
    error instanceof Error &&
    (error.name === 'AbortError' || error.name === 'TimeoutError' || error.message === 'fetch failed' || error.message === 'terminated');
  return isNetwork ? unreachable(server, error) : garbled(server);
}
