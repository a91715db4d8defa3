import { describe, expect, test } from 'vitest';
import { createVideoDecoder, psnr } from '../../../../test/support/seen-video.ts';
import { restMouth } from '../avatar/mouth.ts';
import { mouthBox, mouthOpening } from '../avatar/mouth-opening.ts';
import { type MouthShape, type Viseme, visemes } from '../media/ports.ts';
import { createIllustrated } from './canvas-illustrated.ts';
import { createVideoEncoder } from './node-av-video.ts';

const size = 512;

function only(viseme: Viseme): MouthShape {
  return { ...restMouth, sil: 0, [viseme]: 1 };
}

function opening(data: Uint8Array): number {
  return mouthOpening({ data, width: size, height: size });
}

/** Luma of a box, row after row. */
function cut(picture: Uint8Array, { x, y, width, height }: typeof mouthBox): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, i) => picture[(y + Math.floor(i / width)) * size + x + (i % width)] ?? 0);
}

/** Where two pictures differ visibly outside a box, as indexes of their luma. */
function strayed(a: Uint8Array, b: Uint8Array, { x, y, width, height }: typeof mouthBox): number[] {
  const inBox = (i: number) => i % size >= x && i % size < x + width && i >= y * size && i < (y + height) * size;
  return [...a.subarray(0, size * size).keys()].filter((i) => Math.abs((a[i] ?? 0) - (b[i] ?? 0)) > 20 && !inBox(i));
}

describe.each(['ada', 'xiaolan'] as const)('%s', (character) => {
  const tutor = createIllustrated(character);
  /** The renderer's buffer holds until the next call only. */
  const drawn = (position: number, mouth: MouthShape) => Uint8Array.from(tutor.render(position, mouth));

  test('shows a different mouth for each of the fifteen visemes', () => {
    const mouths = visemes.map((viseme) => cut(drawn(0, only(viseme)), mouthBox));
    for (const [i, a] of mouths.entries()) {
      for (const [j, b] of mouths.entries()) if (i < j) expect(psnr(a, b), `${visemes[i]} and ${visemes[j]}`).toBeLessThan(30);
    }
  });

  test('has closed lips at rest and for p, b and m, in every pose', () => {
    for (let position = 0; position < tutor.idleFrames; position += 7) {
      expect(opening(drawn(position, restMouth))).toBe(0);
      expect(opening(drawn(position, only('PP')))).toBe(0);
    }
  });

  test('opens the mouth measurably, wider for opener sounds, in every pose alike', () => {
    const openings = (['FF', 'SS', 'I', 'E', 'O', 'aa'] as const).map((viseme) => opening(drawn(0, only(viseme))));
    expect(openings).toEqual(openings.toSorted((a, b) => a - b));
    expect(openings.at(-1)).toBeGreaterThan(1200);
    for (let position = 0; position < tutor.idleFrames; position += 11) {
      expect(opening(drawn(position, only('aa'))) / (openings.at(-1) ?? 1)).toBeCloseTo(1, 1);
    }
  });

  test('speaks without a seam: what a mouth changes ends before the edges of the part that is drawn again', () => {
    for (let position = 0; position < tutor.idleFrames; position += 23) {
      const rest = drawn(position, restMouth);
      for (const viseme of visemes) {
        const open = tutor.render(position, only(viseme));
        const stray = strayed(rest, open, { x: 168, y: 286, width: 176, height: 102 });
        // A few: how a rasteriser draws the edge of a shape depends on where the shape ends.
        expect(stray.length, `${viseme} at ${stray[0]}`).toBeLessThan(20);
      }
    }
  });

  test('blinks', () => {
    const eyes = { x: 190, y: 200, width: 132, height: 50 };
    expect(psnr(cut(drawn(32, restMouth), eyes), cut(drawn(30, restMouth), eyes))).toBeLessThan(24);
  });

  test('loops without a jump: the last frame is as near to the first as any two frames are', () => {
    const still = [...Array(tutor.idleFrames).keys()].filter((i) => i % 2 === 1 && (i < 28 || i > 156));
    const nearness = still.map((i) => psnr(drawn(i, restMouth), drawn(i + 1, restMouth)));
    const seam = psnr(drawn(tutor.idleFrames - 1, restMouth), drawn(tutor.idleFrames, restMouth));
    expect(seam).toBeGreaterThan(Math.min(...nearness.slice(0, -1)) - 0.5);
    expect(seam).toBeGreaterThan(30);
  });

  test.each(['VP8', 'H264'] as const)('keeps its mouth measurable in %s as a viewer decodes it', async (codec) => {
    using encoder = createVideoEncoder({ codec, width: size, height: size, bps: 400_000, effort: 'live' });
    using viewer = createVideoDecoder(codec);
    const seen: number[] = [];
    for (const [i, viseme] of (['sil', 'aa', 'PP', 'O', 'FF', 'E', 'sil'] as const).entries()) {
      seen.push(opening(viewer.decode(await encoder.encode(tutor.render(i, only(viseme)), { key: i === 0 }))));
    }
    const [rest = 0, aa = 0, closed = 0, o = 0, tucked = 0, e = 0, again = 0] = seen;
    expect([rest, closed, tucked, again].every((dark) => dark < 60)).toBe(true);
    expect(aa).toBeGreaterThan(1200);
    expect(o).toBeGreaterThan(700);
    expect(e).toBeGreaterThan(400);
  });
});

test('the two tutors are two people', () => {
  const [ada, xiaolan] = [createIllustrated('ada'), createIllustrated('xiaolan')];
  expect(psnr(ada.render(0, restMouth), xiaolan.render(0, restMouth))).toBeLessThan(15);
});
