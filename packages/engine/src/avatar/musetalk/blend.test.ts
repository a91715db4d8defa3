import { expect, test } from 'vitest';
import { blendMask, faceOf, withFace } from './blend.ts';
import { parsingMask } from './parsing-mask.ts';
import { type Pixels, resize } from './resize.ts';

const side = 512;
const classesOf = (label: (x: number, y: number) => number) =>
  Uint8Array.from({ length: side * side }, (_, index) => label(index % side, Math.floor(index / side)));
const setOf = (mask: Uint8Array) =>
  [...mask.keys()].filter((index) => mask[index] === 255).map((index) => [index % side, Math.floor(index / side)]);

// The kernel of face_parsing/__init__.py: rows 10 to 20 are 1, 3, ... 21 wide, rows 21 to 32 are 21; anchor (16, 16).
// cv2.dilate: a pixel is set where the kernel, laid on it, meets a set one; so a single pixel becomes the kernel upside down.
test('in the middle, one pixel of skin spreads by the cone: 16 px up, 6 px down', () => {
  const mask = setOf(
    parsingMask(
      classesOf((x, y) => (x === 256 && y === 300 ? 1 : 0)),
      'jaw',
    ),
  );
  // 1 + 3 + ... + 19 and 13 rows of 21.
  expect(mask).toHaveLength(100 + 13 * 21);
  expect(mask[0]).toEqual([246, 284]);
  expect(mask.at(-1)).toEqual([256, 306]);
  expect(mask.filter(([, y]) => y === 305).map(([x]) => x)).toEqual([255, 256, 257]);
});

// Two erosions by 35 x 3 take 2 x 17 px from each side of what the cone made 20 px wider, within 166 px of the left edge.
test('at the cheeks the skin is worn off sideways', () => {
  const skin = classesOf((x, y) => (x >= 50 && x < 150 && y >= 100 && y < 400 ? 1 : 0));
  const row = setOf(parsingMask(skin, 'jaw')).filter(([, y]) => y === 250);
  expect(row.map(([x]) => x)).toEqual(Array.from({ length: 52 }, (_, index) => 50 - 10 + 34 + index));
});

test('the nose stays, and the mouth goes, whatever surrounds them', () => {
  const mask = parsingMask(
    classesOf((x, y) => (y < 200 ? 1 : x < 256 ? 10 : 12)),
    'jaw',
  );
  expect(mask[100 * side + 256]).toBe(255);
  expect(mask[201 * side + 200]).toBe(0);
  expect(mask[500 * side + 500]).toBe(255);
});

test('raw takes skin, mouth and lips; neck also the neck', () => {
  const stripes = classesOf((x) => x % 19);
  const taken = (mode: 'raw' | 'neck') =>
    [...parsingMask(stripes, mode).subarray(0, 19).entries()].flatMap(([label, value]) => (value === 255 ? [label] : []));
  expect(taken('raw')).toEqual([1, 11, 12, 13]);
  expect(taken('neck')).toEqual([1, 11, 12, 13, 14]);
});

test('another size than 512 x 512 is refused', () => {
  expect(() => parsingMask(new Uint8Array(100), 'jaw')).toThrow(RangeError);
});

const row = (...data: readonly number[]): Pixels => ({ data: Uint8Array.from(data), width: data.length, height: 1, channels: 1 });

// Centres at -0.25, 0.25, 0.75, 1.25: 0, 25, 75 and 100 of 100.
test('linear resizing reads between pixel centres, and repeats the edges', () => {
  expect([...resize(row(0, 100), { width: 4, height: 1, kernel: 'linear' }).data]).toEqual([0, 25, 75, 100]);
});

// Half-way between two pixels, sinc(d) sinc(d / 4) for d = 0.5, 1.5, 2.5, 3.5 is 0.620369, -0.166462, 0.059927, -0.012661 (before they are made to add up to 1).
test('Lanczos resizing weighs eight pixels', () => {
  const weight = 0.620369 / (2 * (0.620369 - 0.166462 + 0.059927 - 0.012661));
  const wide = row(...Array(9).fill(0), 100, ...Array(8).fill(0));
  // 18 px to 9: centres at 0.5, 2.5, ... 8.5: the fifth lies half-way between 8 and 9.
  expect(resize(wide, { width: 9, height: 1, kernel: 'lanczos4' }).data[4]).toBe(Math.round(100 * weight));
  expect(resize(row(7, 7, 7), { width: 5, height: 1, kernel: 'lanczos4' }).data).toEqual(Uint8Array.of(7, 7, 7, 7, 7));
});

const box = { left: 60, top: 40, right: 140, bottom: 160 };
const frame: Pixels = { data: new Uint8Array(200 * 200 * 3).fill(50), width: 200, height: 200, channels: 3 };
const face: Pixels = { data: new Uint8Array(256 * 256 * 3).fill(200), width: 256, height: 256, channels: 3 };
const allSkin = new Uint8Array(side * side).fill(1);
const mask = blendMask({ box, classes: allSkin, mode: 'raw' });
const alphaAt = (x: number, y: number) =>
  mask.alpha[(y - mask.square.top) * (mask.square.right - mask.square.left) + x - mask.square.left] ?? Number.NaN;

// Square: centre (100, 100), half int(60 * 1.5) = 90; blur of int(0.1 * 180 // 2 * 2) + 1 = 19 px, sigma 0.3 * (9 - 1) + 0.8 = 3.2.
test('the mask is the lower half of the box, with soft edges', () => {
  expect(mask.square).toEqual({ left: 10, top: 10, right: 190, bottom: 190 });
  expect(alphaAt(100, 130)).toBe(255);
  expect(alphaAt(100, 90)).toBe(0);
  expect(alphaAt(100, 169)).toBe(0);
  // The half of a Gaussian whose middle tap is 0.12524 of all: 0.5 + 0.06262.
  expect(alphaAt(100, 100) / 255).toBeCloseTo(0.5626, 2);
  expect(alphaAt(100, 99) / 255).toBeCloseTo(0.4374, 2);
  expect(alphaAt(60, 130)).toBe(alphaAt(139, 130));
});

test('the face is mixed in by the mask, and nothing else changes', () => {
  const { data } = withFace(frame, face, mask);
  const at = (x: number, y: number) => data[(y * 200 + x) * 3];
  expect(at(100, 130)).toBe(200);
  expect(at(100, 100)).toBe(Math.round(50 + (150 * alphaAt(100, 100)) / 255));
  expect(at(100, 80)).toBe(50);
  expect(at(59, 130)).toBe(50);
  expect(at(100, 161)).toBe(50);
  expect(frame.data.every((value) => value === 50)).toBe(true);
});

test('a square that reaches beyond the frame is blended as any other', () => {
  const low = { left: 60, top: 80, right: 140, bottom: 200 };
  const { data } = withFace(frame, face, blendMask({ box: low, classes: allSkin, mode: 'raw' }));
  expect(data[(170 * 200 + 100) * 3]).toBe(200);
  expect(data[(199 * 200 + 59) * 3]).toBe(50);
});

test('the encoder sees the box as 256 x 256', () => {
  const halves = Uint8Array.from({ length: frame.data.length }, (_, index) => (Math.floor(index / 600) < 100 ? 10 : 240));
  const seen = faceOf({ ...frame, data: halves }, box);
  expect([seen.width, seen.height, seen.data[0], seen.data.at(-1)]).toEqual([256, 256, 10, 240]);
});
