import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { archiveEnd, boxesName, framesFolder, headerOf, latentsName, paddingOf } from '../../packages/engine/src/avatar/legacy/archive.ts';
import type { Picture } from '../../packages/engine/src/avatar/source/clip.ts';
import { makePng } from './made-photos.ts';

/*
 * Folders as the predecessor wrote them, and the archives that become of them. What its Python wrote is written here by hand: pickles of
 * protocol 2, and a zip as torch.save makes it.
 */

export type LegacyBox = readonly [left: number, top: number, right: number, bottom: number];

export const latentNumbers = 8 * 32 * 32;

const opcodes = {
  protocol: Buffer.from([0x80, 2]),
  mark: Buffer.from('('),
  list: Buffer.from(']'),
  appends: Buffer.from('e'),
  tuple: Buffer.from('t'),
  stop: Buffer.from('.'),
} as const;

function int(value: number): Buffer {
  const bytes = Buffer.from('J\0\0\0\0', 'latin1');
  bytes.writeInt32LE(value, 1);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(`X\0\0\0\0${value}`, 'latin1');
  bytes.writeUInt32LE(value.length, 1);
  return bytes;
}

function tuple(...values: readonly Uint8Array[]): Buffer {
  return Buffer.concat([opcodes.mark, ...values, opcodes.tuple]);
}

function pickledList(items: readonly Uint8Array[]): Buffer {
  return Buffer.concat([opcodes.protocol, opcodes.list, opcodes.mark, ...items, opcodes.appends, opcodes.stop]);
}

export function pickledBoxes(boxes: readonly LegacyBox[]): Buffer {
  return pickledList(boxes.map((box) => tuple(...box.map(int))));
}

/** A list of tensors of [1, 8, 32, 32], each of a storage of its own. */
export function savedLatents(latents: readonly Float32Array[]): Buffer {
  const tensors = latents.map((_, i) => {
    const storage = tuple(text('storage'), Buffer.from('ctorch\nFloatStorage\n'), text(String(i)), text('cpu'), int(latentNumbers));
    const size = tuple(...[1, 8, 32, 32].map(int));
    const stride = tuple(...[latentNumbers, 1024, 32, 1].map(int));
    const hooks = Buffer.from('ccollections\nOrderedDict\n)R');
    const args = tuple(storage, Buffer.from('Q'), int(0), size, stride, Buffer.from([0x89]), hooks);
    return Buffer.concat([Buffer.from('ctorch._utils\n_rebuild_tensor_v2\n'), args, Buffer.from('R')]);
  });
  const storages = latents.map(({ buffer, byteOffset, byteLength }, i) => [
    `latents/data/${i}`,
    Buffer.from(buffer, byteOffset, byteLength),
  ]);
  return storedZip({ 'latents/data.pkl': pickledList(tensors), ...Object.fromEntries(storages) });
}

/** Without compression. */
export function storedZip(entries: Readonly<Record<string, Uint8Array>>, method = 0): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(entries)) {
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(method, 8);
    header.writeUInt32LE(content.length, 18);
    header.writeUInt32LE(content.length, 22);
    header.writeUInt16LE(name.length, 26);
    // PyTorch aligns contents with an extra field.
    header.writeUInt16LE(5, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(content.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(at, 42);
    directory.push(entry, Buffer.from(name));
    locals.push(header, Buffer.from(name), Buffer.alloc(5), Buffer.from(content));
    at += 35 + name.length + content.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(entries).length, 10);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, ...directory, end]);
}

export function pngOf({ width, height, data }: Picture): Buffer {
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let row = 0; row < height; row += 1) rows.set(data.subarray(row * width * 3, (row + 1) * width * 3), row * (1 + width * 3) + 1);
  return makePng({ width, height, data: deflateSync(rows, { level: 1 }) });
}

/** Where the faces are, and numbers that tell one frame's latents from another's. */
export function latentsNamed(first: number): Float32Array {
  return Float32Array.from({ length: latentNumbers }, (_, i) => first + (i % 64) / 64);
}

export type LegacyFiles = Readonly<Record<string, Uint8Array>>;

export interface LegacyParts {
  readonly frames: readonly Uint8Array[];
  readonly boxes?: readonly LegacyBox[];
  readonly latents?: readonly Float32Array[];
}

/** The files of a folder by their names in it, in the order in which they are packed. */
export function legacyFiles({ frames, boxes, latents }: LegacyParts): LegacyFiles {
  return {
    [boxesName]: pickledBoxes(boxes ?? frames.map((_, i) => [10, 20, 110 + i, 140])),
    [latentsName]: savedLatents(latents ?? frames.map((_, i) => latentsNamed(i))),
    ...Object.fromEntries(frames.map((frame, i) => [`${framesFolder}/${String(i).padStart(8, '0')}.png`, frame])),
  };
}

export async function writeLegacyFolder(folder: string, files: LegacyFiles): Promise<void> {
  await mkdir(join(folder, framesFolder), { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
}

export function packedArchive(files: LegacyFiles): Buffer {
  const parts = Object.entries(files).map(([name, content]) => [
    headerOf({ name, bytes: content.length }),
    content,
    paddingOf(content.length),
  ]);
  return Buffer.concat([...parts.flat(), archiveEnd]);
}
