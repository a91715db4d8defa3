import { setTimeout as delay, setImmediate as nextTick } from 'node:timers/promises';
import { composeAnswer } from '../knowledge/extractive-answer.ts';
import type { Llm } from '../ports.ts';

export interface ExtractiveOptions {
  /** Pause before each word, or few Chinese characters, of a reply that is read, ms; 0 only gives way to other work. */
  readonly paceMs: number;
}

/** Answers without a language model, by quoting the passages. The same request has the same answer. */
export function createExtractiveLlm(options: ExtractiveOptions = { paceMs: 0 }): Llm {
  return {
    provider: 'extractive',
    onlyModel: 'quotes-1',
    probe: async () => ({ ok: true }),
    async *generate(request) {
      // A voice has a pace of its own.
      const paceMs = request.spoken ? 0 : options.paceMs;
      for (const text of pieces(remainder(composeAnswer(request), request.prefix))) {
        await (paceMs === 0 ? nextTick(undefined, request) : delay(paceMs, undefined, request));
        yield { type: 'text', text };
      }
    },
  };
}

/** What is left to say. A prefix that another model made is followed by the whole answer as a paragraph of its own. */
function remainder(answer: string, prefix: string): string {
  if (answer.startsWith(prefix)) return answer.slice(prefix.length);
  return `${/\s$/u.test(prefix) ? '' : '\n\n'}${answer}`;
}

/** Words with the space after them; Chinese by two characters. */
function pieces(text: string): readonly string[] {
  return text.match(/\s*\p{sc=Han}{1,2}[^\s\p{L}\p{N}]*\s*|\s*[^\s\p{sc=Han}]+\s*|\s+/gu) ?? [];
}
