import { setImmediate as nextTick } from 'node:timers/promises';
import type { TokenUsage } from '@virtual-tutor/schemas';
import type { Llm, LlmChunk, LlmHealth, LlmRequest } from './ports.ts';

/** A door that tests open: what awaits `opened` goes on then, and not before. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function createGate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** A plain string is a chunk of the reply; `stall` says nothing more until aborted. */
export type ScriptStep =
  | string
  | { readonly wait: Gate }
  | { readonly fail: Error }
  | { readonly usage: TokenUsage }
  | { readonly stall: true };

export interface ScriptedLlm extends Llm {
  /** Every request so far, oldest first. */
  readonly requests: readonly LlmRequest[];
  /** How many of them were cut short by an abort. */
  readonly aborted: number;
}

export interface Script {
  /** Default `scripted`. */
  readonly provider?: string;
  /** Default null: requests choose. */
  readonly onlyModel?: string | null;
  /** What it plays for a request; `attempt` counts requests from 1. */
  readonly play: (request: LlmRequest, attempt: number) => readonly ScriptStep[];
  /** Default ok. */
  readonly health?: LlmHealth;
}

/**
 * A model that plays a script: deterministic, and waiting only where the script has a gate. Given a
 * prefix, it leaves out as much text from the start of the script as the prefix is long.
 */
export function createScriptedLlm(script: Script): ScriptedLlm {
  const requests: LlmRequest[] = [];
  let aborted = 0;
  return {
    provider: script.provider ?? 'scripted',
    onlyModel: script.onlyModel ?? null,
    requests,
    get aborted() {
      return aborted;
    },
    async probe() {
      return script.health ?? { ok: true };
    },
    async *generate(request) {
      requests.push(request);
      let ended = false;
      const count = () => {
        if (!ended) aborted += 1;
      };
      request.signal.addEventListener('abort', count, { once: true });
      try {
        yield* perform(script.play(request, requests.length), request);
      } finally {
        ended = true;
      }
    },
  };
}

async function* perform(steps: readonly ScriptStep[], request: LlmRequest): AsyncGenerator<LlmChunk, void, undefined> {
  let skip = request.prefix.length;
  for (const step of steps) {
    await nextTick();
    request.signal.throwIfAborted();
    if (typeof step === 'string') {
      const text = step.slice(skip);
      skip = Math.max(0, skip - step.length);
      if (text !== '') yield { type: 'text', text };
    } else if ('usage' in step) yield { type: 'usage', usage: step.usage };
    else if ('fail' in step) throw step.fail;
    else if ('wait' in step) await Promise.race([step.wait.opened, abortOf(request.signal)]);
    else await abortOf(request.signal);
  }
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(new DOMException('aborted', 'AbortError'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
