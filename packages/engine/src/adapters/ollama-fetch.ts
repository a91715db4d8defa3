import { LlmUnavailable } from '../ports.ts';

/** Longest line of a stream, characters; real ones have a few hundred. */
const maxLineLength = 1_000_000;

export interface OllamaCall {
  /** The server as a person may read it: without credentials. */
  readonly server: string;
  readonly model: string;
  readonly signal: AbortSignal;
}

/**
 * What stands between the `ollama` package and the network. The package prints stream lines that
 * it cannot parse to the console and goes on; those lines are a lesson's words, and a broken stream
 * is a failure. Here every trouble becomes an `LlmUnavailable` before the package sees it, and the
 * caller's signal really ends the request.
 */
export function ollamaFetch(call: OllamaCall): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, signal: call.signal });
    if (!response.ok) throw await refusal(response, call);
    if (response.body === null || !response.url.endsWith('/api/chat')) return response;
    const body = response.body
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(wholeLines(call.server))
      .pipeThrough(new TextEncoderStream());
    return new Response(body, { headers: response.headers });
  };
}

async function refusal(response: Response, { server, model }: OllamaCall): Promise<LlmUnavailable> {
  const body = await response.text();
  if (response.status === 404 && /model/.test(body)) return missingModel(model, server);
  return new LlmUnavailable(
    'bad_answer',
    `The Ollama server at ${server} answered with status ${response.status}: see its log, and check OLLAMA_BASE_URL.`,
  );
}

/** Lets JSON lines through whole and fails at the first line that is none. */
function wholeLines(server: string): TransformStream<string, string> {
  let rest = '';
  const check = (line: string) => {
    if (!isChatLine(line)) throw garbled(server);
  };
  return new TransformStream({
    transform(text, controller) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > maxLineLength) throw garbled(server);
      for (const line of lines.filter((candidate) => candidate.trim() !== '')) {
        check(line);
        controller.enqueue(`${line}\n`);
      }
    },
    flush(controller) {
      if (rest.trim() === '') return;
      check(rest);
      controller.enqueue(`${rest}\n`);
    },
  });
}

/** An error, or a chunk with the parts that are read of it. */
function isChatLine(line: string): boolean {
  const value = parsed(line);
  if (!isRecord(value)) return false;
  if (typeof value['error'] === 'string') return true;
  const { message, done, prompt_eval_count: promptTokens = 0, eval_count: tokens = 0 } = value;
  return (
    isRecord(message) && typeof message['content'] === 'string' && typeof done === 'boolean' && isCount(promptTokens) && isCount(tokens)
  );
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

export function missingModel(model: string, server: string): LlmUnavailable {
  return new LlmUnavailable('model_missing', `The Ollama server at ${server} has no model "${model}": run \`ollama pull ${model}\`.`);
}

export function garbled(server: string): LlmUnavailable {
  return new LlmUnavailable(
    'bad_answer',
    `The server at ${server} broke off or sent what is not Ollama's API: see its log, and check OLLAMA_BASE_URL.`,
  );
}

export function unreachable(server: string, cause: unknown): LlmUnavailable {
  const reason = `No Ollama server answers at ${server}: start it with \`ollama serve\` or set OLLAMA_BASE_URL.`;
  return new LlmUnavailable('server_unreachable', reason, { cause });
}
