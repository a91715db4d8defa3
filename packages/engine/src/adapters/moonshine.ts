import { fileURLToPath } from 'node:url';
import llamaTokenizer from 'llama-tokenizer-js';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { endsInRepetition, mostTokens, withoutRepetition } from '../listening/repetition.ts';
import { type Asr, SpeechUnavailable } from '../media/ports.ts';

/*
 * Moonshine tiny, English (MIT): an encoder over raw samples and a decoder with a key-value cache, as two
 * ONNX files inside a browser package of which nothing else is loaded. Its tokens are Llama's 32,000
 * and 768 special ones. It knows no silence token: noise comes out as nothing or as a loop.
 */

const beginOfText = 1;
const endOfText = 2;
/** Llama's vocabulary ends here; what Moonshine adds has no text. */
const textTokens = 32_000;
/** Moonshine's own cap. */
const tokensPerSecond = 6.5;
const heads = 8;
const headSize = 36;
/** The encoder's convolutions need this much, samples; less is padded with silence. */
const fewestSamples = 8_000;
/** 1.5 s: one word with its surroundings. */
const shortSamples = 24_000;
/** 125 ms: what a second look leaves out. */
const shiftSamples = 2_000;
const wantedPeak = 0.95;
/** 32 dB: what is quieter is not speech. */
const mostGain = 40;

export interface MoonshineFiles {
  readonly encoder: string;
  readonly decoder: string;
}

export function moonshineFiles(): MoonshineFiles {
  const folder = new URL('./model/tiny/quantized/', import.meta.resolve('@moonshine-ai/moonshine-js'));
  return {
    encoder: fileURLToPath(new URL('encoder_model.onnx', folder)),
    decoder: fileURLToPath(new URL('decoder_model_merged.onnx', folder)),
  };
}

export async function createMoonshine(files: MoonshineFiles = moonshineFiles()): Promise<Asr> {
  // A second thread gained nothing when measured, and would take a core from the sessions.
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
  const [encoder, decoder] = await Promise.all([
    InferenceSession.create(files.encoder, options),
    InferenceSession.create(files.decoder, options),
  ]);
  const cacheNames = decoder.inputNames.filter((name) => name.startsWith('past_key_values.'));
  const understand = async (samples: Float32Array, signal: AbortSignal): Promise<string> => {
    signal.throwIfAborted();
    const heard = prepared(samples);
    const { last_hidden_state: states } = await encoder.run({ input_values: new Tensor('float32', heard, [1, heard.length]) });
    if (states === undefined) throw new SpeechUnavailable('bad_answer', 'the speech encoder answered in another shape');
    const tokens = await decode({ decoder, cacheNames, states, limit: mostTokens(samples.length, tokensPerSecond), signal });
    return llamaTokenizer
      .decode(
        withoutRepetition(tokens).filter((token) => token < textTokens),
        false,
        true,
      )
      .trim();
  };
  return {
    name: 'moonshine',
    model: 'moonshine-tiny-en',
    languages: ['en'],
    async transcribe({ samples, language, signal }) {
      if (language !== 'en') throw new SpeechUnavailable('language_unsupported', 'Moonshine tiny understands English only');
      const whole = await understand(samples, signal);
      // Of a single word, where it lies in the clip decides whether it is taken for silence.
      const again = whole === '' && samples.length > 2 * shiftSamples && samples.length < shortSamples;
      const text = again ? await understand(samples.subarray(shiftSamples), signal) : whole;
      return { text, language, engine: 'moonshine', model: 'moonshine-tiny-en' };
    },
  };
}

/** As loud as what it was trained on: of 72 sentences, a fifth fewer words were wrong at full scale than at a tenth of it. */
function prepared(samples: Float32Array): Float32Array {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  const gain = peak === 0 ? 1 : Math.min(mostGain, wantedPeak / peak);
  const louder = new Float32Array(Math.max(fewestSamples, samples.length));
  for (let index = 0; index < samples.length; index += 1) louder[index] = (samples[index] ?? 0) * gain;
  return louder;
}

interface Decoding {
  readonly decoder: InferenceSession;
  readonly cacheNames: readonly string[];
  readonly states: Tensor;
  /** Tokens, at most. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** Greedy. The encoder's half of the cache is made in the first step and kept. */
async function decode({ decoder, cacheNames, states, limit, signal }: Decoding): Promise<readonly number[]> {
  let cache: Record<string, Tensor> = Object.fromEntries(
    cacheNames.map((name) => [name, new Tensor('float32', new Float32Array(0), [0, heads, 1, headSize])]),
  );
  const tokens: number[] = [];
  let last = beginOfText;
  while (tokens.length < limit) {
    signal.throwIfAborted();
    const first = tokens.length === 0;
    const outputs = await decoder.run({
      ...cache,
      input_ids: new Tensor('int64', BigInt64Array.of(BigInt(last)), [1, 1]),
      encoder_hidden_states: states,
      use_cache_branch: new Tensor('bool', Uint8Array.of(first ? 0 : 1), [1]),
    });
    last = likeliest(outputs['logits']);
    if (last === endOfText) break;
    tokens.push(last);
    if (endsInRepetition(tokens)) break;
    const kept = cache;
    cache = Object.fromEntries(
      cacheNames.map((name) => {
        const made = outputs[name.replace('past_key_values', 'present')];
        const tensor = first || name.includes('.decoder.') ? made : kept[name];
        if (tensor === undefined) throw new SpeechUnavailable('bad_answer', 'the speech decoder answered in another shape');
        return [name, tensor];
      }),
    );
  }
  return tokens;
}

function likeliest(logits: Tensor | undefined): number {
  const scores = logits?.data;
  if (!(scores instanceof Float32Array)) throw new SpeechUnavailable('bad_answer', 'the speech decoder gave no scores');
  let best = 0;
  for (let token = 1; token < scores.length; token += 1) {
    if ((scores[token] ?? 0) > (scores[best] ?? 0)) best = token;
  }
  return best;
}
