import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onnxFile, type Port } from './onnx-file.ts';

/*
 * A Whisper that hears nothing and says one sentence per language, in the files and with the inputs and
 * outputs of a real export: its "decoder" looks the next word up by the last one.
 */

const sentences = { en: ['Why', ' is', ' the', ' sky', ' blue', '?'], zh: ['为', '什', '么', '天', '是', '蓝', '的', '？'] } as const;
const special = [
  '<|endoftext|>',
  '<|startoftranscript|>',
  '<|en|>',
  '<|zh|>',
  '<|translate|>',
  '<|transcribe|>',
  '<|notimestamps|>',
] as const;

const words: readonly string[] = [...sentences.en, ...sentences.zh];
const tokens: readonly string[] = [...words, ...special];
const idOf = (token: string) => tokens.indexOf(token);
const vocabulary = words.length + special.length;

/** The printable stand-ins of GPT-2's byte-level tokens. */
function byteLevel(token: string): string {
  const printable = [...Array(94).keys()]
    .map((index) => index + 33)
    .concat(
      [...Array(12).keys()].map((index) => index + 161),
      [...Array(82).keys()].map((index) => index + 174),
    );
  const others = [...Array(256).keys()].filter((byte) => !printable.includes(byte));
  return [...Buffer.from(token)].map((byte) => String.fromCodePoint(printable.includes(byte) ? byte : 256 + others.indexOf(byte))).join('');
}

/** Row by last token, column by next: the sentence goes on, and ends. */
function nextWords(): Float32Array {
  const table = new Float32Array(vocabulary * vocabulary);
  const follow = (from: string, to: string) => {
    table[idOf(from) * vocabulary + idOf(to)] = 10;
  };
  for (const sentence of Object.values(sentences)) {
    for (const [index, word] of sentence.entries()) follow(word, sentence[index + 1] ?? '<|endoftext|>');
  }
  return table;
}

/** What the language token in the prompt adds to the scores: its sentence's first word. */
function firstWords(): Float32Array {
  const table = new Float32Array(vocabulary * vocabulary);
  table[idOf('<|en|>') * vocabulary + idOf('Why')] = 20;
  table[idOf('<|zh|>') * vocabulary + idOf('为')] = 20;
  return table;
}

const cache = ['decoder.key', 'decoder.value', 'encoder.key', 'encoder.value'] as const;
const cachePort = (name: string): Port => ({ name, type: 'float', shape: ['batch', 1, 'steps', 4] });

function encoder(): Uint8Array {
  return onnxFile({
    inputs: [{ name: 'input_features', type: 'float', shape: ['batch', 80, 'frames'] }],
    outputs: [{ name: 'last_hidden_state', type: 'float', shape: ['batch', 'steps', 4] }],
    constants: [{ name: 'shape', shape: [3], values: BigInt64Array.of(1n, -1n, 4n) }],
    nodes: [{ op: 'Reshape', inputs: ['input_features', 'shape'], outputs: ['last_hidden_state'] }],
  });
}

function decoder(): Uint8Array {
  return onnxFile({
    inputs: [
      { name: 'input_ids', type: 'int64', shape: ['batch', 'length'] },
      { name: 'encoder_hidden_states', type: 'float', shape: ['batch', 'steps', 4] },
      ...cache.map((name) => cachePort(`past_key_values.0.${name}`)),
      { name: 'use_cache_branch', type: 'bool', shape: [1] },
    ],
    outputs: [
      { name: 'logits', type: 'float', shape: ['batch', 'length', vocabulary] },
      ...cache.map((name) => cachePort(`present.0.${name}`)),
    ],
    constants: [
      { name: 'next', shape: [vocabulary, vocabulary], values: nextWords() },
      { name: 'first', shape: [vocabulary, vocabulary], values: firstWords() },
      { name: 'along', shape: [1], values: BigInt64Array.of(1n) },
    ],
    nodes: [
      { op: 'Gather', inputs: ['next', 'input_ids'], outputs: ['following'] },
      { op: 'Gather', inputs: ['first', 'input_ids'], outputs: ['beginnings'] },
      { op: 'ReduceSum', inputs: ['beginnings', 'along'], outputs: ['beginning'], with: { keepdims: 1 } },
      { op: 'Add', inputs: ['following', 'beginning'], outputs: ['logits'] },
      ...cache.map((name) => ({ op: 'Identity', inputs: [`past_key_values.0.${name}`], outputs: [`present.0.${name}`] })),
    ],
  });
}

/** Puts the files into `folder`, which is the model's own. */
export function writeTinyWhisper(folder: string): void {
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  const write = (name: string, content: object) => writeFileSync(join(folder, name), JSON.stringify(content));
  const ends = { bos_token_id: idOf('<|endoftext|>'), eos_token_id: idOf('<|endoftext|>'), pad_token_id: idOf('<|endoftext|>') };
  write('config.json', {
    model_type: 'whisper',
    architectures: ['WhisperForConditionalGeneration'],
    is_encoder_decoder: true,
    vocab_size: vocabulary,
    d_model: 4,
    encoder_layers: 1,
    encoder_attention_heads: 1,
    decoder_layers: 1,
    decoder_attention_heads: 1,
    num_mel_bins: 80,
    max_source_positions: 1_500,
    max_target_positions: 448,
    decoder_start_token_id: idOf('<|startoftranscript|>'),
    ...ends,
  });
  write('generation_config.json', {
    is_multilingual: true,
    max_length: 448,
    decoder_start_token_id: idOf('<|startoftranscript|>'),
    no_timestamps_token_id: idOf('<|notimestamps|>'),
    lang_to_id: { '<|en|>': idOf('<|en|>'), '<|zh|>': idOf('<|zh|>') },
    task_to_id: { transcribe: idOf('<|transcribe|>'), translate: idOf('<|translate|>') },
    ...ends,
  });
  write('preprocessor_config.json', {
    feature_extractor_type: 'WhisperFeatureExtractor',
    processor_class: 'WhisperProcessor',
    feature_size: 80,
    sampling_rate: 16_000,
    hop_length: 160,
    chunk_length: 30,
    n_fft: 400,
    n_samples: 480_000,
    nb_max_frames: 3_000,
    padding_value: 0,
  });
  write('tokenizer_config.json', { tokenizer_class: 'WhisperTokenizer', eos_token: '<|endoftext|>', unk_token: '<|endoftext|>' });
  write('tokenizer.json', {
    version: '1.0',
    added_tokens: special.map((content) => ({
      id: idOf(content),
      content,
      special: true,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', vocab: Object.fromEntries(words.map((word) => [byteLevel(word), idOf(word)])), merges: [], byte_fallback: false },
  });
  writeFileSync(join(folder, 'onnx', 'encoder_model_quantized.onnx'), encoder());
  writeFileSync(join(folder, 'onnx', 'decoder_model_merged_quantized.onnx'), decoder());
}
