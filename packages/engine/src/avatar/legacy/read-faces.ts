import type { PixelBox } from '../musetalk/face-box.ts';
import { ClipRefused } from '../source/clip.ts';
import { type Readable, readArchive } from './archive.ts';
import { Named, type Pickled, PickleRefused, readPickle } from './pickle.ts';
import { readStoredZip } from './stored-zip.ts';

/*
 * What the predecessor had prepared of a clip for MuseTalk: `coords.pkl` (a list of face boxes) and `latents.pt` (a list of tensors of
 * [1, 8, 32, 32]: the masked face and the reference, by the VAE of MuseTalk). Nothing of them is executed.
 */

/** 8 * 32 * 32 numbers, read when they are asked for: those of a long clip take 100 MB. */
export type Latents = () => Float32Array;

export interface LegacyFace {
  /** px of the frame; may reach beyond it. */
  readonly box: PixelBox;
  readonly latents: Latents;
}

/** Larger than those of the longest clip, bytes. */
const mostBoxBytes = 16 * 1024 * 1024;
const mostLatentBytes = 1024 * 1024 * 1024;

/** Of all frames of an archive; null: the predecessor found no face there. Throws `ClipRefused`. */
export function readLegacyFaces(file: Readable): (LegacyFace | null)[] {
  const { boxes, latents, frames } = readArchive(file);
  if (boxes.bytes > mostBoxBytes || latents.bytes > mostLatentBytes) throw new ClipRefused('too_heavy');
  const read = { boxes: file.read(boxes.at, boxes.bytes), latents: file.read(latents.at, latents.bytes), frames: frames.length };
  try {
    return readFaces(read);
  } catch (error) {
    throw new ClipRefused('damaged', { cause: error });
  }
}

export interface LegacyFiles {
  /** `coords.pkl` */
  readonly boxes: Uint8Array;
  /** `latents.pt` */
  readonly latents: Uint8Array;
  /** How many frames the folder has. */
  readonly frames: number;
}

/** Throws `PickleRefused` and `RangeError`. */
export function readFaces({ boxes: coords, latents: tensors, frames }: LegacyFiles): (LegacyFace | null)[] {
  const boxes = readBoxes(coords, frames);
  const latents = readLatents(tensors);
  // MuseTalk's own program leaves latents out where there is no face, and so gives the others too early an index.
  const areSkipped = latents.length !== frames;
  const found = boxes.filter((box) => box !== null).length;
  if (areSkipped && latents.length !== found) throw new PickleRefused('not as many latents as boxes');
  const inOrder = latents.values();
  return boxes.map((box, i) => {
    const one = areSkipped ? box && inOrder.next().value : latents[i];
    return box === null || one === null || one === undefined ? null : { box, latents: one };
  });
}

/** What MuseTalk notes for a frame without a face. */
const noFace = '0,0,0,0';

export function readBoxes(file: Uint8Array, frames: number): (PixelBox | null)[] {
  const list = listOf(readPickle(file, { functions: numpyFunctions }));
  if (list.length !== frames) throw new PickleRefused('not as many boxes as frames');
  return list.map((box) => {
    const [left = 0, top = 0, right = 0, bottom = 0] = numbersOf(box, 4);
    return [left, top, right, bottom].join() === noFace ? null : { left, top, right, bottom };
  });
}

interface Storage {
  readonly type: 'torch.FloatStorage' | 'torch.HalfStorage';
  readonly bytes: Uint8Array;
}

export function readLatents(file: Uint8Array): Latents[] {
  const entries = readStoredZip(file);
  const dataName = [...entries.keys()].find((name) => name.endsWith('/data.pkl'));
  const data = entries.get(dataName ?? '');
  if (dataName === undefined || data === undefined) throw new PickleRefused('no data.pkl');
  const base = dataName.slice(0, -'data.pkl'.length);
  const value = readPickle(data, {
    functions: torchFunctions,
    persistent: (id) => {
      const [kind, type, key] = listOf(id);
      const bytes = typeof key === 'string' ? entries.get(`${base}data/${key}`) : undefined;
      const name = type instanceof Named ? type.name : '';
      if (kind !== 'storage' || bytes === undefined || (name !== 'torch.FloatStorage' && name !== 'torch.HalfStorage')) {
        throw new PickleRefused('a storage of another kind');
      }
      return { type: name, bytes } satisfies Storage;
    },
  });
  return listOf(value).map((tensor) => {
    if (!(tensor instanceof Tensor)) throw new PickleRefused('a latent that is no tensor');
    return () => tensor.read();
  });
}

const torchFunctions: ReadonlyMap<string, (args: readonly Pickled[]) => Pickled> = new Map<string, (args: readonly Pickled[]) => Pickled>([
  [
    'torch._utils._rebuild_tensor_v2',
    ([storage, offset, size, stride]) => tensorOf(storage ?? null, [offset ?? null, size ?? null, stride ?? null]),
  ],
  ['collections.OrderedDict', () => ({})],
  ['torch.FloatStorage', notCalled],
  ['torch.HalfStorage', notCalled],
]);

function notCalled(): Pickled {
  throw new PickleRefused('a storage that is made');
}

const latentSize = 8 * 32 * 32;

class Tensor {
  readonly #storage: Storage;
  /** Bytes from the storage's start. */
  readonly #from: number;

  constructor(storage: Storage, offset: number) {
    this.#storage = storage;
    this.#from = offset * this.#width;
    if (!(this.#from >= 0 && this.#from + latentSize * this.#width <= storage.bytes.length))
      throw new PickleRefused('a tensor beyond its storage');
  }

  get #width(): 4 | 2 {
    return this.#storage.type === 'torch.FloatStorage' ? 4 : 2;
  }

  read(): Float32Array {
    const { buffer, byteOffset } = this.#storage.bytes;
    const view = new DataView(buffer, byteOffset + this.#from, latentSize * this.#width);
    return this.#width === 4
      ? Float32Array.from({ length: latentSize }, (_, i) => view.getFloat32(4 * i, true))
      : Float32Array.from({ length: latentSize }, (_, i) => view.getFloat16(2 * i, true));
  }
}

function tensorOf(storage: Pickled, [offset, size, stride]: readonly Pickled[]): Tensor {
  // What a dimension of one strides over is never used.
  const [, ...strides] = numbersOf(stride ?? null, 4);
  if (numbersOf(size ?? null, 4).join() !== '1,8,32,32' || strides.join() !== '1024,32,1')
    throw new PickleRefused('a tensor of another shape');
  if (!isStorage(storage)) throw new PickleRefused('a tensor without a storage');
  return new Tensor(storage, numberOf(offset ?? null));
}

function isStorage(value: Pickled): value is Storage {
  return typeof value === 'object' && value !== null && 'type' in value && 'bytes' in value;
}

/** numpy's numbers, before and after it moved its modules. */
const numpyFunctions: ReadonlyMap<string, (args: readonly Pickled[]) => Pickled> = new Map<string, (args: readonly Pickled[]) => Pickled>([
  ['numpy.dtype', ([name]) => ({ dtype: name })],
  ['numpy.core.multiarray.scalar', numpyNumber],
  ['numpy._core.multiarray.scalar', numpyNumber],
]);

const numpyReaders: ReadonlyMap<unknown, (view: DataView) => number> = new Map<unknown, (view: DataView) => number>([
  ['i4', (view) => view.getInt32(0, true)],
  ['i8', (view) => Number(view.getBigInt64(0, true))],
  ['f4', (view) => view.getFloat32(0, true)],
  ['f8', (view) => view.getFloat64(0, true)],
]);

function numpyNumber([type, bytes]: readonly Pickled[]): Pickled {
  const read = typeof type === 'object' && type !== null && 'dtype' in type ? numpyReaders.get(type.dtype) : undefined;
  if (read === undefined || !(bytes instanceof Uint8Array)) throw new PickleRefused('a number of another type of numpy');
  return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

function listOf(value: Pickled): readonly Pickled[] {
  if (!Array.isArray(value)) throw new PickleRefused('no list where one is due');
  return value;
}

/** So many: a list that is named by many others would cost each of them its whole length. */
function numbersOf(value: Pickled, count: number): number[] {
  const list = listOf(value);
  if (list.length !== count) throw new PickleRefused(`a list that is not of ${count}`);
  return list.map(numberOf);
}

function numberOf(value: Pickled): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new PickleRefused('no number where one is due');
  return value;
}
