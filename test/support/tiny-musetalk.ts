import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onnxFile } from './onnx-file.ts';

/*
 * MuseTalk's five graphs with the inputs and outputs of real exports and almost nothing in them: loud states
 * open a "mouth" (make the picture brighter), and the picture shows the latents it was made of.
 */

export interface TinyMuseTalk {
  /** 'calm': without the fine grain that video cannot carry. 'flat' and 'no-numbers' are what failed exports paint. */
  readonly decoder?: 'painting' | 'calm' | 'flat' | 'no-numbers';
  /** Added to the manifest, or instead of what is in it. */
  readonly manifest?: Readonly<Record<string, unknown>>;
}

/** Between -0.5 and 0.5, the same each time. */
function weights(count: number, factor = 1): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => factor * (((index * 7_919 + 13) % 101) / 101 - 0.5));
}

/** The same for each pixel of a block of 8 x 8: red, green and blue follow each other. */
function calmWeights(): Float32Array {
  return Float32Array.from({ length: 768 }, (_, index) => [0.5, -0.5, 0.2][Math.floor(index / 4) % 3] ?? 0);
}

function whisper(): Uint8Array {
  return onnxFile({
    inputs: [{ name: 'input_features', type: 'float', shape: ['batch', 80, 3_000] }],
    outputs: [{ name: 'audio_features_all_layers', type: 'float', shape: ['batch', 1_500, 5, 384] }],
    constants: [
      { name: 'bins', shape: [1], values: BigInt64Array.of(1n) },
      { name: 'pairs', shape: [3], values: BigInt64Array.of(-1n, 1_500n, 2n) },
      { name: 'of-pair', shape: [1], values: BigInt64Array.of(2n) },
      { name: 'steps', shape: [4], values: BigInt64Array.of(-1n, 1_500n, 1n, 1n) },
      {
        name: 'layers',
        shape: [1, 1, 5, 384],
        values: Float32Array.from({ length: 5 * 384 }, (_, index) => (1 + Math.floor(index / 384)) / 160),
      },
    ],
    nodes: [
      { op: 'ReduceSum', inputs: ['input_features', 'bins'], outputs: ['loudness'], with: { keepdims: 0 } },
      { op: 'Reshape', inputs: ['loudness', 'pairs'], outputs: ['paired'] },
      { op: 'ReduceSum', inputs: ['paired', 'of-pair'], outputs: ['step-loudness'], with: { keepdims: 0 } },
      { op: 'Reshape', inputs: ['step-loudness', 'steps'], outputs: ['stepped'] },
      { op: 'Mul', inputs: ['stepped', 'layers'], outputs: ['audio_features_all_layers'] },
    ],
  });
}

function unet(): Uint8Array {
  return onnxFile({
    inputs: [
      { name: 'sample', type: 'float', shape: ['batch', 8, 32, 32] },
      { name: 'timestep', type: 'int64', shape: [1] },
      { name: 'encoder_hidden_states', type: 'float', shape: ['batch', 50, 384] },
    ],
    outputs: [{ name: 'out_sample', type: 'float', shape: ['batch', 4, 32, 32] }],
    constants: [
      { name: 'mix', shape: [4, 8, 1, 1], values: weights(32) },
      { name: 'rows', shape: [2], values: BigInt64Array.of(1n, 2n) },
      { name: 'one-each', shape: [4], values: BigInt64Array.of(-1n, 1n, 1n, 1n) },
      { name: 'part', shape: [1], values: Float32Array.of(1 / (50 * 384)) },
    ],
    nodes: [
      { op: 'Conv', inputs: ['sample', 'mix'], outputs: ['mixed'] },
      { op: 'ReduceSum', inputs: ['encoder_hidden_states', 'rows'], outputs: ['sum'], with: { keepdims: 0 } },
      { op: 'Reshape', inputs: ['sum', 'one-each'], outputs: ['sums'] },
      { op: 'Mul', inputs: ['sums', 'part'], outputs: ['openness'] },
      { op: 'Cast', inputs: ['timestep'], outputs: ['time'], with: { to: 1 } },
      { op: 'Add', inputs: ['mixed', 'openness'], outputs: ['opened'] },
      { op: 'Add', inputs: ['opened', 'time'], outputs: ['out_sample'] },
    ],
  });
}

function decoder(kind: TinyMuseTalk['decoder']): Uint8Array {
  const factor = kind === 'flat' ? 0 : kind === 'no-numbers' ? Number.NaN : 0.2;
  return onnxFile({
    inputs: [{ name: 'latent_sample', type: 'float', shape: ['batch', 4, 32, 32] }],
    outputs: [{ name: 'sample', type: 'float', shape: ['batch', 3, 256, 256] }],
    constants: [{ name: 'brush', shape: [192, 4, 1, 1], values: kind === 'calm' ? calmWeights() : weights(768, factor) }],
    nodes: [
      { op: 'Conv', inputs: ['latent_sample', 'brush'], outputs: ['strokes'] },
      { op: 'DepthToSpace', inputs: ['strokes'], outputs: ['painted'], with: { blocksize: 8 } },
      { op: 'Tanh', inputs: ['painted'], outputs: ['sample'] },
    ],
  });
}

function encoder(): Uint8Array {
  return onnxFile({
    inputs: [{ name: 'sample', type: 'float', shape: ['batch', 3, 256, 256] }],
    outputs: [{ name: 'latent_sample', type: 'float', shape: ['batch', 4, 32, 32] }],
    constants: [{ name: 'eye', shape: [4, 192, 1, 1], values: new Float32Array(768).fill(1 / 192) }],
    nodes: [
      { op: 'SpaceToDepth', inputs: ['sample'], outputs: ['folded'], with: { blocksize: 8 } },
      { op: 'Conv', inputs: ['folded', 'eye'], outputs: ['latent_sample'] },
    ],
  });
}

/** Dark pixels are class 0, bright red ones 1, all others 12. */
function parsing(): Uint8Array {
  const mix = new Float32Array(19 * 3);
  mix.set([1, 0, 0], 3);
  mix.set([0, 1, 0], 36);
  return onnxFile({
    inputs: [{ name: 'image', type: 'float', shape: [1, 3, 512, 512] }],
    outputs: [{ name: 'classes', type: 'float', shape: [1, 19, 512, 512] }],
    constants: [{ name: 'mix', shape: [19, 3, 1, 1], values: mix }],
    nodes: [{ op: 'Conv', inputs: ['image', 'mix'], outputs: ['classes'] }],
  });
}

/** Puts models and manifest into `folder`. */
export function writeTinyMuseTalk(folder: string, { decoder: kind = 'painting', manifest = {} }: TinyMuseTalk = {}): void {
  mkdirSync(folder, { recursive: true });
  const file = (name: string, content: Uint8Array) => {
    writeFileSync(join(folder, name), content);
    return { file: name, sha256: createHash('sha256').update(content).digest('hex') };
  };
  const vae = { kind: 'sd-vae', scaling: 'outside', pixels: '-1..1' };
  const content = {
    version: 1,
    dtype: 'float32',
    whisper: { ...file('whisper.onnx', whisper()), names: { mel: 'input_features', states: 'audio_features_all_layers' } },
    unet: {
      ...file('unet.onnx', unet()),
      names: { latents: 'sample', timestep: 'timestep', audio: 'encoder_hidden_states', made: 'out_sample' },
    },
    decoder: { ...file('decoder.onnx', decoder(kind)), names: { latents: 'latent_sample', image: 'sample' }, ...vae },
    encoder: { ...file('encoder.onnx', encoder()), names: { image: 'sample', latents: 'latent_sample' }, ...vae },
    parsing: { ...file('parsing.onnx', parsing()), names: { image: 'image', classes: 'classes' } },
    ...manifest,
  };
  writeFileSync(join(folder, 'musetalk.json'), JSON.stringify(content));
}
