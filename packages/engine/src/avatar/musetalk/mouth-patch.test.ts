import { expect, test } from 'vitest';
import { writeRgba } from '../i420.ts';
import { rgbOfI420 } from '../i420-picture.ts';
import { blendMask, withFace } from './blend.ts';
import { type MouthMask, mouthMask, pasteMouth, patchOf } from './mouth-patch.ts';
import type { Pixels } from './resize.ts';

const size = 200;
const box = { left: 61, top: 41, right: 138, bottom: 159 };
const blend = blendMask({ box, classes: new Uint8Array(512 * 512).fill(1), mode: 'raw' });
const wave = (width: number, phase: number): Pixels => ({
  data: Uint8Array.from({ length: width * width * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return 128 + 90 * Math.sin(phase + ((pixel % width) / width) * 5 + (Math.floor(pixel / width) / width) * 3 + (i % 3));
  }),
  width,
  height: width,
  channels: 3,
});
const frame = wave(size, 0);
const face = wave(256, 2);

function i420Of({ data, width }: Pixels): Uint8Array {
  const picture = new Uint8Array((width * width * 3) / 2);
  const rgba = Uint8Array.from({ length: width * width * 4 }, (_, i) => (i % 4 === 3 ? 255 : (data[Math.floor(i / 4) * 3 + (i % 4)] ?? 0)));
  writeRgba({ data: picture, width, height: width }, { x: 0, y: 0, width, height: width }, rgba);
  return picture;
}

function maskThere(): MouthMask {
  const mask = mouthMask(blend, size);
  if (mask === null) throw new Error('this box has a mouth');
  return mask;
}

test('a pasted patch is what upstream blends, within the rounding of the colour space', () => {
  const mask = maskThere();
  const picture = i420Of(frame);
  pasteMouth(picture, size, { mask, planes: patchOf(face, mask), strength: 1 });
  const [seen, wanted] = [rgbOfI420(picture, size).data, rgbOfI420(i420Of(withFace(frame, face, blend)), size).data];
  const differences = seen.map((value, i) => Math.abs(value - (wanted[i] ?? 0)));
  expect(Math.max(...differences)).toBeLessThanOrEqual(6);
  expect(differences.reduce((sum, value) => sum + value, 0) / differences.length).toBeLessThan(0.3);
});

test('outside the part no byte changes, and at no strength nothing does', () => {
  const mask = maskThere();
  const before = i420Of(frame);
  const after = Uint8Array.from(before);
  pasteMouth(after, size, { mask, planes: patchOf(face, mask), strength: 0 });
  expect(after).toEqual(before);
  pasteMouth(after, size, { mask, planes: patchOf(face, mask), strength: 1 });
  const { part } = mask;
  const changed = [...after.subarray(0, size * size).keys()].filter((i) => after[i] !== before[i]);
  expect(changed.length).toBeGreaterThan(1_000);
  for (const i of changed) {
    expect(i % size).toBeGreaterThanOrEqual(part.left);
    expect(i % size).toBeLessThan(part.right);
    expect(Math.floor(i / size)).toBeGreaterThanOrEqual(part.top);
    expect(Math.floor(i / size)).toBeLessThan(part.bottom);
  }
});

test('half the strength is half the way', () => {
  const mask = maskThere();
  const [none, half, whole] = [0, 0.5, 1].map((strength) => {
    const picture = i420Of(frame);
    pasteMouth(picture, size, { mask, planes: patchOf(face, mask), strength });
    return picture[140 * size + 100] ?? 0;
  });
  expect(Math.abs((half ?? 0) - ((none ?? 0) + (whole ?? 0)) / 2)).toBeLessThanOrEqual(1);
  expect(Math.abs((whole ?? 0) - (none ?? 0))).toBeGreaterThan(10);
});

test('a mask that lets nothing through is none', () => {
  expect(mouthMask({ ...blend, alpha: new Uint8Array(blend.alpha.length) }, size)).toBeNull();
});
