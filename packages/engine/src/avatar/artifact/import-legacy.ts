import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Named, type Pickled, PickleRefused, readPickle } from './pickle.ts';
import { readStoredZip } from './stored-zip.ts';

/*
 * An avatar as the predecessor kept it: `full_imgs/%08d.png`, `coords.pkl` (a list of face boxes) and `latents.pt` (a list of tensors
 * of [1, 8, 32, 32]: the masked face and the reference, by the VAE of MuseTalk).
 */

export interface LegacyAvatar {
  /** Paths of the frames, in order. */
  readonly frames: readonly string[];
  /** For each frame the face's left, top, right and bottom, px; null: no face was found. */
  readonly boxes: readonly (readonly [number, number, number, number] | null)[];
  /** For each frame 8 * 32 * 32 numbers. */
  readonly latents: readonly Float32Array[];
}

const sentences = {
  missing: 'The folder lacks full_imgs, coords.pkl or latents.pt; it is no avatar of the predecessor.',
  malformed: 'A file of the folder is not what the predecessor writes; export the avatar again.',
  mismatched: 'The folder has not as many frames as boxes and latents; export the avatar again.',
} as const;

export class LegacyRefused extends Error {
  override readonly name = 'LegacyRefused';
  readonly code: keyof typeof sentences;
  constructor(code: LegacyRefused['code'], options?: ErrorOptions) {
    super(sentences[code], options);
    this.code = code;
  }
}

const latentSize = 8 * 32 * 32;
/** 10 min of latents at 25 fps and single precision. */
const mostBytes = 512 * 1024 * 1024;
/** What MuseTalk notes for a frame without a face. */
const noFace = '0,0,0,0';

/** Throws `LegacyRefused`. Nothing of the folder is executed. */
export async function readLegacyAvatar(folder: string): Promise<LegacyAvatar> {
  const [names, coords, tensors] = await Promise.all([
    readdir(join(folder, 'full_imgs')),
    bounded(join(folder, 'coords.pkl')),
    bounded(join(folder, 'latents.pt')),
  ]).catch((error: unknown) => {
    throw error instanceof LegacyRefused ? error : new LegacyRefused('missing', { cause: error });
  });
  const frames = names.filter((name) => /^\d{8}\.png$/.test(name)).toSorted();
  const { boxes, latents } = parsed(coords, tensors);
  if (frames.length === 0 || boxes.length !== frames.length || latents.length !== frames.length) throw new LegacyRefused('mismatched');
  return { frames: frames.map((name) => join(folder, 'full_imgs', name)), boxes, latents };
}

async function bounded(path: string): Promise<Uint8Array> {
  if ((await stat(path)).size > mostBytes) throw new LegacyRefused('malformed');
  return readFile(path);
}

function parsed(coords: Uint8Array, tensors: Uint8Array): Pick<LegacyAvatar, 'boxes' | 'latents'> {
  try {
    return { boxes: readBoxes(coords), latents: readLatents(tensors) };
  } catch (error) {
    throw new LegacyRefused('malformed', { cause: error });
  }
}

export function readBoxes(file: Uint8Array): LegacyAvatar['boxes'] {
  return listOf(readPickle(file, { functions: numpyFunctions })).map((box) => {
    const [left, top, right, bottom, ...more] = listOf(box).map(numberOf);
    if (left === undefined || top === undefined || right === undefined || bottom === undefined || more.length > 0) {
      throw new PickleRefused('a box that is not of four numbers');
    }
    return [left, top, right, bottom].join() === noFace ? null : [left, top, right, bottom];
  });
}

interface Storage {
  readonly type: 'torch.FloatStorage' | 'torch.HalfStorage';
  readonly bytes: Uint8Array;
}

export function readLatents(file: Uint8Array): Float32Array[] {
  const entries = readStoredZip(file);
  const dataName = [...entries.keys()].find((name) => name.endsWith('/data.pkl'));
  const data = entries.get(dataName ?? '');
  if (dataName === undefined || data === undefined) throw new PickleRefused('no data.pkl');
  const base = dataName.slice(0, -'data.pkl'.length);
  const value = readPickle(data, {
    functions: torchFunctions,
    persistent: (id) => {
      const [kind, type, key] = listOf(id);
      const bytes = entries.get(`${base}data/${String(key)}`);
      const name = type instanceof Named ? type.name : '';
      if (kind !== 'storage' || bytes === undefined || (name !== 'torch.FloatStorage' && name !== 'torch.HalfStorage')) {
        throw new PickleRefused('a storage of another kind');
      }
      return { type: name, bytes } satisfies Storage;
    },
  });
  return listOf(value).map((tensor) => {
    if (!(tensor instanceof Float32Array)) throw new PickleRefused('a latent that is no tensor');
    return tensor;
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

function tensorOf(storage: Pickled, [offset, size, stride]: readonly Pickled[]): Float32Array {
  const contiguous = '8192,1024,32,1';
  // What a dimension of one strides over is never used.
  const strides = listOf(stride ?? null).map(numberOf);
  if (listOf(size ?? null).join() !== '1,8,32,32' || [8192, ...strides.slice(1)].join() !== contiguous)
    throw new PickleRefused('a tensor of another shape');
  if (!isStorage(storage)) throw new PickleRefused('a tensor without a storage');
  const width = storage.type === 'torch.FloatStorage' ? 4 : 2;
  const from = numberOf(offset ?? null) * width;
  const { bytes } = storage;
  if (!(from >= 0 && from + latentSize * width <= bytes.length)) throw new PickleRefused('a tensor beyond its storage');
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, latentSize * width);
  return Float32Array.from({ length: latentSize }, (_, i) => (width === 4 ? view.getFloat32(4 * i, true) : view.getFloat16(2 * i, true)));
}

function isStorage(value: Pickled): value is Storage {
  return typeof value === 'object' && value !== null && 'type' in value && 'bytes' in value;
}

/** numpy's numbers, before and after it moved its modules. */
const numpyFunctions: ReadonlyMap<string, (args: readonly Pickled[]) => Pickled> = new Map<string, (args: readonly Pickled[]) => Pickled>([
  ['numpy.dtype', ([name]) => ({ dtype: String(name) })],
  ['numpy.core.multiarray.scalar', numpyNumber],
  ['numpy._core.multiarray.scalar', numpyNumber],
]);

const numpyReaders: ReadonlyMap<string, (view: DataView) => number> = new Map([
  ['i4', (view) => view.getInt32(0, true)],
  ['i8', (view) => Number(view.getBigInt64(0, true))],
  ['f4', (view) => view.getFloat32(0, true)],
  ['f8', (view) => view.getFloat64(0, true)],
]);

function numpyNumber([type, bytes]: readonly Pickled[]): Pickled {
  const name = typeof type === 'object' && type !== null && 'dtype' in type ? String(type.dtype) : '';
  const read = numpyReaders.get(name);
  if (read === undefined || !(bytes instanceof Uint8Array)) throw new PickleRefused(`a number of numpy's type ${name.slice(0, 20)}`);
  return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

function listOf(value: Pickled): readonly Pickled[] {
  if (!Array.isArray(value)) throw new PickleRefused('no list where one is due');
  return value;
}

function numberOf(value: Pickled): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new PickleRefused('no number where one is due');
  return value;
}
