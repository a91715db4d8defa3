import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readBoxes, readLatents, readLegacyAvatar } from './import-legacy.ts';

/* Pickles by CPython 3.11 and numpy 2.4, protocol 4; those of tensors as torch.save writes them, protocol 2. */
const pickles = {
  /** [(10, 20, 110, 140), (300, -4, 70000, 141)] */
  ints: 'gASVIgAAAAAAAABdlCgoSwpLFEtuS4x0lChNLAFK/P///0pwEQEAS410lGUu',
  /** [[10, 20, 110, 140], (0.0, 0.0, 0.0, 0.0)], protocol 2 */
  noFace: 'gAJdcQAoXXEBKEsKSxRLbkuMZShHAAAAAAAAAABHAAAAAAAAAABHAAAAAAAAAABHAAAAAAAAAAB0cQJlLg==',
  /** [(int64(10), int32(20), float64(110.5), float32(140.25))] */
  numpy:
    'gASVBwEAAAAAAABdlCiMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAZzY2FsYXKUk5SMBW51bXB5lIwFZHR5cGWUk5SMAmk4lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGJDCAoAAAAAAAAAlIaUUpRoA2gGjAJpNJSJiIeUUpQoSwNoCk5OTkr/////Sv////9LAHSUYkMEFAAAAJSGlFKUaANoBowCZjiUiYiHlFKUKEsDaApOTk5K/////0r/////SwB0lGJDCAAAAAAAoFtAlIaUUpRoA2gGjAJmNJSJiIeUUpQoSwNoCk5OTkr/////Sv////9LAHSUYkMEAEAMQ5SGlFKUdJRhLg==',
  /** An object that has os.system called when it is read. */
  evil: 'gASVJQAAAAAAAABdlIwFcG9zaXiUjAZzeXN0ZW2Uk5SMB2VjaG8gaGmUhZRSlGEu',
  dictionary: 'gASVCgAAAAAAAAB9lIwBYZRLAXMu',
  /** Two tensors, each of a storage of its own. */
  floats:
    'gAJdcQAoY3RvcmNoLl91dGlscwpfcmVidWlsZF90ZW5zb3JfdjIKcQEoKFgHAAAAc3RvcmFnZXECY3RvcmNoCkZsb2F0U3RvcmFnZQpxA1gBAAAAMHEEWAMAAABjcHVxBU0AIHRxBlFLAChLAUsISyBLIHRxByhNACBNAARLIEsBdHEIiWNjb2xsZWN0aW9ucwpPcmRlcmVkRGljdApxCSlScQp0cQtScQxoASgoaAJoA1gBAAAAMXENaAVNACB0cQ5RSwBoB2gIiWgJKVJxD3RxEFJxEWUu',
  /** Two tensors of one storage. */
  halves:
    'gAJdcQAoY3RvcmNoLl91dGlscwpfcmVidWlsZF90ZW5zb3JfdjIKcQEoKFgHAAAAc3RvcmFnZXECY3RvcmNoCkhhbGZTdG9yYWdlCnEDWAEAAAAwcQRYAwAAAGNwdXEFTQBAdHEGUUsAKEsBSwhLIEsgdHEHKE0AIE0ABEsgSwF0cQiJY2NvbGxlY3Rpb25zCk9yZGVyZWREaWN0CnEJKVJxCnRxC1JxDGgBKChoAmgDaARoBU0AQHRxDVFNACBoB2gIiWgJKVJxDnRxD1JxEGUu',
  integers:
    'gAJdcQBjdG9yY2guX3V0aWxzCl9yZWJ1aWxkX3RlbnNvcl92MgpxASgoWAcAAABzdG9yYWdlcQJjdG9yY2gKSW50U3RvcmFnZQpxA1gBAAAAMHEEWAMAAABjcHVxBU0AIHRxBlFLAChLAUsISyBLIHRxByhNACBNAARLIEsBdHEIiWNjb2xsZWN0aW9ucwpPcmRlcmVkRGljdApxCSlScQp0cQtScQxhLg==',
} as const;

function pickle(name: keyof typeof pickles): Uint8Array {
  return Buffer.from(pickles[name], 'base64');
}

/** Without compression. */
function zip(entries: Readonly<Record<string, Uint8Array>>, method = 0): Uint8Array {
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

const latentSize = 8 * 32 * 32;

function floats(first: number, count = latentSize): Uint8Array {
  return new Uint8Array(Float32Array.from({ length: count }, (_, i) => first + i / 8).buffer);
}

function halves(count: number): Uint8Array {
  return new Uint8Array(Float16Array.from({ length: count }, (_, i) => (i % 64) / 4).buffer);
}

describe('boxes', () => {
  test('are read as they were written', () => {
    expect(readBoxes(pickle('ints'))).toEqual([
      [10, 20, 110, 140],
      [300, -4, 70_000, 141],
    ]);
  });

  test('of nothing are none', () => {
    expect(readBoxes(pickle('noFace'))).toEqual([[10, 20, 110, 140], null]);
  });

  test('may be of numpy', () => {
    expect(readBoxes(pickle('numpy'))).toEqual([[10, 20, 110.5, 140.25]]);
  });

  test('that call a function are refused by its name, and it is not called', () => {
    expect(() => readBoxes(pickle('evil'))).toThrow('posix.system');
  });

  test.each(['dictionary', 'floats'] as const)('are no %s', (name) => {
    expect(() => readBoxes(pickle(name))).toThrow();
  });

  test('that end too early are refused', () => {
    const whole = pickle('ints');
    for (let length = 0; length < whole.length; length += 1)
      expect(() => readBoxes(whole.subarray(0, length)), `${length} bytes`).toThrow();
  });
});

describe('latents', () => {
  test('of single precision', () => {
    const file = zip({ 'latents/data.pkl': pickle('floats'), 'latents/data/0': floats(0), 'latents/data/1': floats(-3) });
    const latents = readLatents(file);
    expect(latents.map(({ length }) => length)).toEqual([latentSize, latentSize]);
    expect([latents[0]?.[0], latents[0]?.[9], latents[1]?.[0], latents[1]?.at(-1)]).toEqual([0, 1.125, -3, -3 + (latentSize - 1) / 8]);
  });

  test('of half precision, in one storage', () => {
    const latents = readLatents(zip({ 'archive/data.pkl': pickle('halves'), 'archive/data/0': halves(2 * latentSize) }));
    expect([latents[0]?.[3], latents[1]?.[65]]).toEqual([0.75, 0.25]);
  });

  test.each<readonly [string, Uint8Array]>([
    ['of integers', zip({ 'a/data.pkl': pickle('integers'), 'a/data/0': floats(0) })],
    ['without their numbers', zip({ 'a/data.pkl': pickle('floats'), 'a/data/0': floats(0) })],
    ['of too few numbers', zip({ 'a/data.pkl': pickle('halves'), 'a/data/0': halves(latentSize) })],
    ['that call a function', zip({ 'a/data.pkl': pickle('evil') })],
    ['that are boxes', zip({ 'a/data.pkl': pickle('ints') })],
    ['in a zip without them', zip({ 'a/other': floats(0) })],
    ['that are compressed', zip({ 'a/data.pkl': pickle('floats') }, 8)],
    ['in no zip', floats(0)],
  ])('%s are refused', (_name, file) => {
    expect(() => readLatents(file)).toThrow();
  });
});

describe('a folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'legacy-'));
    await mkdir(join(folder, 'full_imgs'));
    for (const name of ['00000001.png', '00000000.png', '.DS_Store']) await writeFile(join(folder, 'full_imgs', name), '');
    await writeFile(join(folder, 'coords.pkl'), pickle('noFace'));
    await writeFile(
      join(folder, 'latents.pt'),
      zip({ 'latents/data.pkl': pickle('floats'), 'latents/data/0': floats(0), 'latents/data/1': floats(1) }),
    );
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('is read whole', async () => {
    const { frames, boxes, latents } = await readLegacyAvatar(folder);
    expect(frames).toEqual(['00000000.png', '00000001.png'].map((name) => join(folder, 'full_imgs', name)));
    expect([boxes.length, latents.length]).toEqual([2, 2]);
  });

  test.each<readonly [string, () => Promise<unknown>, string]>([
    ['without boxes', () => rm(join(folder, 'coords.pkl')), 'missing'],
    ['without frames', () => rm(join(folder, 'full_imgs'), { recursive: true }), 'missing'],
    ['with a frame too few', () => rm(join(folder, 'full_imgs', '00000001.png')), 'mismatched'],
    ['with boxes that call a function', () => writeFile(join(folder, 'coords.pkl'), pickle('evil')), 'malformed'],
    ['with latents that are none', () => writeFile(join(folder, 'latents.pt'), pickle('ints')), 'malformed'],
  ])('%s is refused', async (_name, change, code) => {
    await change();
    await expect(readLegacyAvatar(folder)).rejects.toMatchObject({ name: 'LegacyRefused', code });
  });
});
