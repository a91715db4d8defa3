import { describe, expect, test } from 'vitest';
import { latentsNamed, pickledBoxes, savedLatents, storedZip } from '../../../../../test/support/legacy-avatar.ts';
import { readBoxes, readFaces, readLatents } from './read-faces.ts';

/* Pickles by CPython 3.11 and numpy 2.4, protocol 4; those of tensors by PyTorch 2.14, protocol 2. */
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
    'gAJdcQAoY3RvcmNoLl91dGlscwpfcmVidWlsZF90ZW5zb3JfdjIKcQEoKFgHAAAAc3RvcmFnZXECY3RvcmNoCkZsb2F0U3RvcmFnZQpxA1gBAAAAMHEEWAMAAABjcHVxBU0AIHRxBlFLAChLAUsISyBLIHRxByhNACBNAARLIEsBdHEIiWNjb2xsZWN0aW9ucwpPcmRlcmVkRGljdApxCSlScQp0cQtScQxoASgoaAJoA1gBAAAAMXENaAVNACB0cQ5RSwAoSwFLCEsgSyB0cQ8oTQAgTQAESyBLAXRxEIloCSlScRF0cRJScRNlLg==',
  /** Two tensors of one storage. */
  halves:
    'gAJdcQAoY3RvcmNoLl91dGlscwpfcmVidWlsZF90ZW5zb3JfdjIKcQEoKFgHAAAAc3RvcmFnZXECY3RvcmNoCkhhbGZTdG9yYWdlCnEDWAEAAAAwcQRYAwAAAGNwdXEFTQBAdHEGUUsAKEsBSwhLIEsgdHEHKE0AIE0ABEsgSwF0cQiJY2NvbGxlY3Rpb25zCk9yZGVyZWREaWN0CnEJKVJxCnRxC1JxDGgBKChoAmgDaARoBU0AQHRxDVFNACAoSwFLCEsgSyB0cQ4oTQAgTQAESyBLAXRxD4loCSlScRB0cRFScRJlLg==',
  integers:
    'gAJdcQBjdG9yY2guX3V0aWxzCl9yZWJ1aWxkX3RlbnNvcl92MgpxASgoWAcAAABzdG9yYWdlcQJjdG9yY2gKSW50U3RvcmFnZQpxA1gBAAAAMHEEWAMAAABjcHVxBU0AIHRxBlFLAChLAUsISyBLIHRxByhNACBNAARLIEsBdHEIiWNjb2xsZWN0aW9ucwpPcmRlcmVkRGljdApxCSlScQp0cQtScQxhLg==',
} as const;

function pickle(name: keyof typeof pickles): Uint8Array {
  return Buffer.from(pickles[name], 'base64');
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
    expect(readBoxes(pickle('ints'), 2)).toEqual([
      { left: 10, top: 20, right: 110, bottom: 140 },
      { left: 300, top: -4, right: 70_000, bottom: 141 },
    ]);
  });

  test('of nothing are none', () => {
    expect(readBoxes(pickle('noFace'), 2)).toEqual([{ left: 10, top: 20, right: 110, bottom: 140 }, null]);
  });

  test('may be of numpy', () => {
    expect(readBoxes(pickle('numpy'), 1)).toEqual([{ left: 10, top: 20, right: 110.5, bottom: 140.25 }]);
  });

  test('that call a function are refused by its name, and it is not called', () => {
    expect(() => readBoxes(pickle('evil'), 1)).toThrow('posix.system');
  });

  test.each(['dictionary', 'floats'] as const)('are no %s', (name) => {
    expect(() => readBoxes(pickle(name), 2)).toThrow();
  });

  test('that end too early are refused', () => {
    const whole = pickle('ints');
    for (let length = 0; length < whole.length; length += 1)
      expect(() => readBoxes(whole.subarray(0, length), 2), `${length} bytes`).toThrow();
  });
});

describe('latents', () => {
  test('of single precision', () => {
    const file = storedZip({ 'latents/data.pkl': pickle('floats'), 'latents/data/0': floats(0), 'latents/data/1': floats(-3) });
    const latents = readLatents(file).map((read) => read());
    expect(latents.map(({ length }) => length)).toEqual([latentSize, latentSize]);
    expect([latents[0]?.[0], latents[0]?.[9], latents[1]?.[0], latents[1]?.at(-1)]).toEqual([0, 1.125, -3, -3 + (latentSize - 1) / 8]);
  });

  test('of half precision, in one storage', () => {
    const file = storedZip({ 'archive/data.pkl': pickle('halves'), 'archive/data/0': halves(2 * latentSize) });
    const latents = readLatents(file).map((read) => read());
    expect([latents[0]?.[3], latents[1]?.[65]]).toEqual([0.75, 0.25]);
  });

  test.each<readonly [string, Uint8Array]>([
    ['of integers', storedZip({ 'a/data.pkl': pickle('integers'), 'a/data/0': floats(0) })],
    ['without their numbers', storedZip({ 'a/data.pkl': pickle('floats'), 'a/data/0': floats(0) })],
    ['of too few numbers', storedZip({ 'a/data.pkl': pickle('halves'), 'a/data/0': halves(latentSize) })],
    ['that call a function', storedZip({ 'a/data.pkl': pickle('evil') })],
    ['that are boxes', storedZip({ 'a/data.pkl': pickle('ints') })],
    ['in a zip without them', storedZip({ 'a/other': floats(0) })],
    ['that are compressed', storedZip({ 'a/data.pkl': pickle('floats') }, 8)],
    ['in no zip', floats(0)],
  ])('%s are refused', (_name, file) => {
    expect(() => readLatents(file)).toThrow();
  });
});

describe('faces', () => {
  const [box, none] = [[10, 20, 110, 140] as const, [0, 0, 0, 0] as const];
  const latents = (...names: readonly number[]) => savedLatents(names.map(latentsNamed));
  const named = (boxes: Uint8Array, file: Uint8Array, frames: number) =>
    readFaces({ boxes, latents: file, frames }).map((face) => face?.latents()[0] ?? null);

  test('are boxes and latents of one index', () => {
    expect(named(pickledBoxes([box, none, box]), latents(1, 2, 3), 3)).toEqual([1, null, 3]);
  });

  test('have the next latents, where those without a face were left out', () => {
    expect(named(pickledBoxes([none, box, none, box]), latents(1, 2), 4)).toEqual([null, 1, null, 2]);
  });

  test.each([
    ['fewer boxes than frames', [box], latents(1, 2)],
    ['more boxes than frames', [box, box, box], latents(1, 2)],
    ['fewer latents than boxes', [box, box], latents(1)],
    ['more latents than boxes', [box, none], latents(1, 2, 3)],
  ] as const)('with %s are refused', (_, boxes, file) => {
    expect(() => named(pickledBoxes(boxes), file, 2)).toThrow('not as many');
  });
});

describe('a bomb', () => {
  const protocol = [0x80, 4];
  /** A list of two, of which each names the one before twice: 2 to the power of `levels`, written out. */
  const laughs = (levels: number) => [
    ...[0x5d, 0x94],
    ...Array.from({ length: levels }, (_, i) => [0x5d, 0x94, 0x28, 0x68, i, 0x68, i, 0x65]).flat(),
  ];
  /** STACK_GLOBAL, of texts. */
  const global = (module: string, name: string) => [
    0x8c,
    module.length,
    ...Buffer.from(module),
    0x8c,
    name.length,
    ...Buffer.from(name),
    0x93,
  ];

  /** A box of one number whose type is named by what comes. */
  const numpyScalar = (...name: readonly number[]) => [
    ...[...global('numpy.core.multiarray', 'scalar'), 0x28, ...global('numpy', 'dtype'), ...name, 0x85, 0x52],
    ...[0x43, 1, 0x61, 0x74, 0x52],
  ];
  const inZip = (pickled: Uint8Array) => storedZip({ 'a/data.pkl': pickled, 'a/data/0': floats(0) });
  const asLatents = (file: Uint8Array) => readLatents(inZip(file));
  const asBoxes = (file: Uint8Array) => readBoxes(file, 1);
  /** A list of one item, with the laughs in memory. */
  const list = (...item: readonly number[]) => Buffer.from([...protocol, ...laughs(40), 0x5d, ...item, 0x61, 0x2e]);
  const last = [0x68, 40];

  test.each<readonly [string, (file: Uint8Array) => unknown, Uint8Array]>([
    ['lists of lists, as numbers', asBoxes, list(0x28, ...last, ...last, ...last, ...last, 0x74)],
    ['lists of lists, as a name', asBoxes, list(...last, 0x4b, 1, 0x93)],
    ['lists of lists, as a type', asBoxes, list(...numpyScalar(...last))],
    [
      'lists of lists, as a shape',
      asLatents,
      list(...global('torch._utils', '_rebuild_tensor_v2'), 0x28, 0x4e, 0x4b, 0, ...last, ...last, 0x74, 0x52),
    ],
    ['lists of lists, as a key', asLatents, list(0x28, 0x8c, 7, ...Buffer.from('storage'), 0x4e, ...last, 0x74, 0x51)],
    ['a list in itself', asBoxes, list(...last, ...last, 0x61)],
    ['a box of a million', asBoxes, Buffer.concat([Buffer.from('](', 'latin1'), Buffer.alloc(999_990, 'N'), Buffer.from('ta.', 'latin1')])],
    ['marks without end', asBoxes, Buffer.alloc(16_000_000, 0x28)],
    ['dictionaries without end', asBoxes, Buffer.alloc(16_000_000, 0x7d)],
    ['a text longer than the file', asBoxes, Buffer.from([...protocol, 0x58, 0xff, 0xff, 0xff, 0xff])],
    ['a name without an end', asBoxes, Buffer.from([...protocol, 0x63, ...new Array(1_000).fill(0x61)])],
  ])('of %s is refused at once', (_, readAs, file) => {
    const began = performance.now();
    expect(() => readAs(file)).toThrow();
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('of more steps than a list of boxes takes is not gone through', () => {
    const many = Buffer.concat([Buffer.from('](', 'latin1'), Buffer.alloc(1_000_000, 'N'), Buffer.from('e.', 'latin1')]);
    expect(() => readBoxes(many, 1_000_000)).toThrow('too many operations');
  });

  test('of tensors that are one is refused before any is read', () => {
    const one = [...global('torch._utils', '_rebuild_tensor_v2'), 0x94];
    const storage = [0x28, 0x8c, 7, ...Buffer.from('storage'), ...global('torch', 'FloatStorage'), 0x8c, 1, 0x30, 0x74, 0x51];
    const numbers = (...all: readonly number[]) => [0x28, ...all.flatMap((value) => [0x4a, value & 255, value >> 8, 0, 0]), 0x74];
    const args = [0x28, ...storage, 0x4b, 0, ...numbers(1, 8, 32, 32), ...numbers(8192, 1024, 32, 1), 0x74, 0x94];
    const again = new Array(200_000).fill([0x68, 0, 0x68, 1, 0x52]).flat();
    const file = Buffer.from([...protocol, 0x5d, 0x28, ...one, ...args, 0x52, ...again, 0x65, 0x2e]);
    expect(() => readFaces({ boxes: pickle('ints'), latents: inZip(file), frames: 2 })).toThrow('not as many latents');
  });
});
