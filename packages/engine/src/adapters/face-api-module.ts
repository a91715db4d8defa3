import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FaceFinderUnavailable } from '../avatar/face/ports.ts';

/*
 * @vladmandic/face-api (MIT, its models too) on TensorFlow.js (Apache-2.0), compiled to WebAssembly: one thread, SIMD where
 * there is some. Programs and models are read from their packages, nothing from a network.
 */

/** What this engine uses of the packages: their own types name others that are not installed. */
export interface Tensor {
  dispose(): void;
  dataSync(): Float32Array;
}

interface Tensorflow {
  readonly Tensor: { readonly prototype: object };
  readonly [operation: string]: unknown;
  setBackend(name: 'wasm'): Promise<boolean>;
  enableProdMode(): void;
  /** rows, columns, channels */
  tensor3d(values: Float32Array | Uint8Array, shape: readonly [number, number, number], type: 'float32' | 'int32'): Tensor;
  reshape(tensor: Tensor, shape: readonly number[]): Tensor;
  memory(): { readonly numTensors: number; readonly numBytes: number };
}

interface Network {
  loadFromDisk(folder: string): Promise<void>;
  dispose(): void;
}

interface Detection {
  readonly score: number;
  /** px */
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

interface FaceApi {
  readonly tf: Tensorflow;
  readonly NetInput: new (pictures: readonly Tensor[], batch: true) => NetInput;
  readonly TinyFaceDetector: new () => Network & {
    locateFaces(picture: Tensor, options: { readonly inputSize: number; readonly scoreThreshold: number }): Promise<readonly Detection[]>;
  };
  /** Of each picture 136 numbers, 0 to 1. */
  readonly FaceLandmark68Net: new () => Network & { forwardInput(pictures: NetInput): Tensor };
  /** Of each picture 128 numbers. */
  readonly FaceRecognitionNet: new () => Network & { forwardInput(pictures: NetInput): Tensor };
}

interface NetInput {
  readonly batchSize: number;
}

let module: Promise<FaceApi> | undefined;

/** One for all, and never closed: TensorFlow.js has one state per process. Throws `FaceFinderUnavailable`. */
export function openFaceApi(): Promise<FaceApi> {
  module ??= start().catch((error: unknown) => {
    module = undefined;
    throw error;
  });
  return module;
}

/** Where the package keeps its weights. */
export function modelFolder(): string {
  return join(dirname(fileURLToPath(locate())), '..', 'model');
}

async function start(): Promise<FaceApi> {
  // Untyped, see above: what is imported so is `any`, and this is what it is.
  const { default: api }: { readonly default: FaceApi } = await import(locate());
  chainOperations(api.tf);
  api.tf.enableProdMode();
  const ready = await keepingListeners(() => api.tf.setBackend('wasm'));
  if (!ready) throw new FaceFinderUnavailable('no_webassembly', 'WebAssembly does not start here; run the engine on a Node that has it.');
  return api;
}

function locate(): string {
  try {
    return import.meta.resolve('@vladmandic/face-api/dist/face-api.node-wasm.js');
  } catch (error) {
    throw new FaceFinderUnavailable('not_installed', 'The package @vladmandic/face-api is not installed; install the packages again.', {
      cause: error,
    });
  }
}

/** face-api calls operations as methods of tensors; the core of TensorFlow.js leaves it to its users to say which there are. */
function chainOperations(tf: Tensorflow): void {
  const chained = ['add', 'cast', 'div', 'expandDims', 'mean', 'mul', 'reshape', 'slice', 'sub'];
  const shapes = [1, 2, 3, 4];
  Object.assign(tf.Tensor.prototype, {
    ...Object.fromEntries(chained.map((name) => [name, methodOf(tf, name)])),
    ...Object.fromEntries(shapes.map((rank) => [`as${rank}D`, reshapeTo(tf, rank)])),
  });
}

function methodOf(tf: Tensorflow, name: string): unknown {
  const operation = tf[name];
  if (typeof operation !== 'function')
    throw new FaceFinderUnavailable('not_installed', 'TensorFlow.js is of another version; install the packages again.');
  return function (this: Tensor, ...others: unknown[]): unknown {
    return operation(this, ...others);
  };
}

function reshapeTo(tf: Tensorflow, rank: number): unknown {
  return function (this: Tensor, ...shape: number[]): Tensor {
    return tf.reshape(this, rank === 1 ? [-1] : shape);
  };
}

/** What is compiled by Emscripten takes uncaught errors of the whole process to itself; they stay with whoever had them. */
async function keepingListeners<T>(work: () => Promise<T>): Promise<T> {
  const uncaught = process.listeners('uncaughtException');
  const rejected = process.listeners('unhandledRejection');
  const result = await work();
  for (const listener of process.listeners('uncaughtException')) {
    if (!uncaught.includes(listener)) process.removeListener('uncaughtException', listener);
  }
  for (const listener of process.listeners('unhandledRejection')) {
    if (!rejected.includes(listener)) process.removeListener('unhandledRejection', listener);
  }
  return result;
}
