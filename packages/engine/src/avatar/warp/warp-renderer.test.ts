import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawnFace, swaying } from '../../../../../test/support/drawn-face.ts';
import { psnr } from '../../../../../test/support/seen-video.ts';
import { type MouthShape, type TimedViseme, type Viseme, visemes } from '../../media/ports.ts';
import { lipsFor } from '../lips.ts';
import { mouthAt, restMouth } from '../mouth.ts';
import { FilmedFaceRefused } from './filmed-face.ts';
import { createWarpRenderer } from './warp-renderer.ts';

const size = 512;
const face = drawnFace(size, swaying(12));
const tutor = createWarpRenderer(face);

function only(viseme: Viseme): MouthShape {
  return { ...restMouth, sil: 0, [viseme]: 1 };
}

/** The renderer's buffer holds until the next call only. */
function shown(frame: number, mouth: MouthShape): Uint8Array {
  return Uint8Array.from(tutor.render(frame, mouth));
}

function filmed(frame: number): Uint8Array {
  return face.frames[frame] ?? new Uint8Array();
}

/** A landmark of a frame, px. */
function landmark(frame: number, point: number): { readonly x: number; readonly y: number } {
  const points = face.landmarks[frame];
  return { x: points?.[2 * point] ?? 0, y: points?.[2 * point + 1] ?? 0 };
}

interface Spot {
  /** px in the head, from the middle of the lips, right and down. */
  readonly x: number;
  readonly y: number;
}

/** Luma at a place of the head, between four pixels. */
function lumaAt(picture: Uint8Array, frame: number, spot: Spot): number {
  const [left, right] = [landmark(frame, 48), landmark(frame, 54)];
  const [cos, sin] = [(right.x - left.x) / 80, (right.y - left.y) / 80];
  const x = (left.x + right.x) / 2 + spot.x * cos - spot.y * sin;
  const y = (left.y + right.y) / 2 + spot.x * sin + spot.y * cos;
  const i = Math.floor(y) * size + Math.floor(x);
  const mix = (j: number) => (picture[j] ?? 0) * (1 - (x % 1)) + (picture[j + 1] ?? 0) * (x % 1);
  return mix(i) * (1 - (y % 1)) + mix(i + size) * (y % 1);
}

/** How far it is from lip to lip along the mouth's axis (beside it, where a tooth is), px: from the first place too dark or too bright for a lip to the last. */
function opening(picture: Uint8Array, frame: number): number {
  const inside: number[] = [];
  for (let y = -9; y < 45; y += 0.25) {
    const luma = lumaAt(picture, frame, { x: 5, y });
    if (luma < 112 || luma > 160) inside.push(y);
  }
  return (inside.at(-1) ?? 0) - (inside[0] ?? 0);
}

/** Columns and rows that any mouth changed, px. */
function changed(frame: number): { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number } {
  const before = filmed(frame);
  const at = visemes.flatMap((viseme) => {
    const picture = tutor.render(frame, only(viseme));
    return [...before.subarray(0, size * size).keys()].filter((i) => picture[i] !== before[i]);
  });
  const xs = at.map((i) => i % size);
  const ys = at.map((i) => Math.floor(i / size));
  const least = (values: number[]) => values.reduce((a, b) => Math.min(a, b));
  const most = (values: number[]) => values.reduce((a, b) => Math.max(a, b));
  return { left: least(xs), right: most(xs), top: least(ys), bottom: most(ys) };
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const product = (x: readonly number[], y: readonly number[], [mx, my]: readonly [number, number]) =>
    x.reduce((sum, value, i) => sum + (value - mx) * ((y[i] ?? 0) - my), 0);
  return product(a, b, [meanA, meanB]) / Math.sqrt(product(a, a, [meanA, meanA]) * product(b, b, [meanB, meanB]));
}

describe('at rest', () => {
  test('every frame is the filmed one, byte for byte, and the loop goes round', () => {
    for (let frame = 0; frame < 24; frame += 1) expect(Buffer.compare(tutor.render(frame, restMouth), filmed(frame % 12))).toBe(0);
  });

  test('speech leaves no trace: the frame after a wide mouth is the filmed one again', () => {
    tutor.render(3, only('aa'));
    expect(Buffer.compare(tutor.render(3, restMouth), filmed(3))).toBe(0);
    expect(opening(shown(3, only('PP')), 3)).toBe(0);
  });

  test('the mouth begins to move without a jump', () => {
    const barely = between(only('aa'), 0.002);
    expect(psnr(shown(0, barely), filmed(0))).toBeGreaterThan(50);
  });
});

/** A mouth on its way from rest. */
function between(to: MouthShape, share: number): MouthShape {
  return { ...restMouth, ...Object.fromEntries(visemes.map((viseme) => [viseme, to[viseme] * share + restMouth[viseme] * (1 - share)])) };
}

describe('the opening', () => {
  test('grows with the gap that is wanted', () => {
    for (const viseme of ['aa', 'E', 'O'] as const) {
      const openings = [0, 0.2, 0.4, 0.6, 0.8, 1].map((share) => opening(shown(2, between(only(viseme), share)), 2));
      expect(openings, viseme).toEqual(openings.toSorted((a, b) => a - b));
      expect(openings[0]).toBe(0);
      expect(openings.at(-1), viseme).toBeGreaterThan(5);
    }
  });

  test('follows the sounds of speech', () => {
    const said: readonly Viseme[] = ['PP', 'aa', 'nn', 'E', 'sil', 'O', 'PP', 'U', 'FF', 'aa', 'SS', 'I', 'DD', 'aa', 'sil'];
    const timeline: TimedViseme[] = said.map((viseme, i) => ({ viseme, startMs: i * 110, endMs: (i + 1) * 110 }));
    const mouths = Array.from({ length: 42 }, (_, i) => mouthAt(timeline, i * 40));
    const wanted = mouths.map((mouth) => Math.max(0, lipsFor(mouth).gap - 2 * lipsFor(mouth).tuck));
    const seen = mouths.map((mouth, i) => opening(shown(i % 12, mouth), i % 12));
    expect(correlation(wanted, seen)).toBeGreaterThan(0.95);
  });

  test('is shut for p, b and m, and has teeth on the lip for f and v, in every frame', () => {
    for (let frame = 0; frame < 12; frame += 1) {
      expect(opening(shown(frame, only('PP')), frame)).toBe(0);
      const tucked = shown(frame, only('FF'));
      expect(opening(tucked, frame)).toBeLessThan(6);
      for (let y = -12; y < 20; y += 0.5) expect(lumaAt(tucked, frame, { x: 5, y })).toBeGreaterThan(80);
    }
  });

  test('shows each of the fifteen sounds differently', () => {
    const mouths = visemes.map((viseme) => mouthOf(shown(0, only(viseme)), 0));
    for (const [i, a] of mouths.entries()) {
      for (const [j, b] of mouths.entries()) if (i < j) expect(psnr(a, b), `${visemes[i]} and ${visemes[j]}`).toBeLessThan(36);
    }
  });
});

/** Luma of the mouth and chin, in the head. */
function mouthOf(picture: Uint8Array, frame: number): Uint8Array {
  return Uint8Array.from({ length: 120 * 90 }, (_, i) => lumaAt(picture, frame, { x: (i % 120) - 60, y: Math.floor(i / 120) - 25 }));
}

describe('the rest of the face', () => {
  test('eyes, nose and everything beyond cheeks and chin stay as filmed, byte for byte', () => {
    for (const frame of [0, 5]) {
      const { left, right, top, bottom } = changed(frame);
      expect(top).toBeGreaterThan(landmark(frame, 33).y - 6);
      expect(bottom).toBeLessThan(landmark(frame, 8).y + 50);
      expect(left).toBeGreaterThan(landmark(frame, 3).x - 4);
      expect(right).toBeLessThan(landmark(frame, 13).x + 4);
    }
  });

  test('is within 38 dB of the filmed one outside mouth and chin, whatever is said', () => {
    for (const viseme of visemes) {
      const [before, after] = [filmed(4).slice(), shown(4, only(viseme))];
      const [left, right, chin] = [landmark(4, 48), landmark(4, 54), landmark(4, 8)];
      for (let y = Math.floor(left.y - 40); y < chin.y + 12; y += 1) {
        const [from, to] = [y * size + Math.floor(left.x - 20), y * size + Math.ceil(right.x + 20)];
        after.set(before.subarray(from, to), from);
      }
      expect(psnr(after.subarray(0, size * size), before.subarray(0, size * size)), viseme).toBeGreaterThan(38);
    }
  });

  test.each(visemes.slice(1))(
    'has no seam around %s: where the moved part ends, neighbours differ no more than they did on film',
    (viseme) => {
      const [before, after] = [filmed(1), shown(1, only(viseme))];
      const worse = linesOfPicture.flatMap((pixels) => {
        const [first, last] = [pixels.findIndex((i) => before[i] !== after[i]), pixels.findLastIndex((i) => before[i] !== after[i])];
        return first < 1 ? [] : [first, last].map((k) => steepest(after, pixels, k) - steepest(before, pixels, k));
      });
      expect(Math.max(...worse)).toBeLessThan(12);
      expect(worse.reduce((sum, more) => sum + more, 0) / worse.length).toBeLessThan(0.1);
    },
  );
});

/** Largest difference of neighbours within 4 px of the `k`th pixel of a line: an outline that moved a little is not steeper. */
function steepest(picture: Uint8Array, line: readonly number[], k: number): number {
  const values = line.slice(Math.max(0, k - 4), k + 5).map((i) => picture[i] ?? 0);
  return Math.max(...values.slice(1).map((value, i) => Math.abs(value - (values[i] ?? 0))));
}

/** Indexes of the luma of every row and column. */
const linesOfPicture = Array.from({ length: 2 * size }, (_, line) =>
  Array.from({ length: size }, (_, k) => (line < size ? line * size + k : k * size + line - size)),
);

describe('a moving head', () => {
  test('carries the mouth along: its middle stays within a pixel of the landmarks', () => {
    const middles = Array.from({ length: 12 }, (_, frame) => {
      const picture = shown(frame, only('O'));
      const dark: { x: number; y: number }[] = [];
      for (let y = -12; y < 40; y += 0.5) {
        for (let x = -40; x < 40; x += 0.5) if (lumaAt(picture, frame, { x, y }) < 50) dark.push({ x, y });
      }
      const mean = (axis: 'x' | 'y') => dark.reduce((sum, place) => sum + place[axis], 0) / dark.length;
      return { x: mean('x'), y: mean('y') };
    });
    const middle = middles[0];
    for (const { x, y } of middles) expect(Math.hypot(x - (middle?.x ?? 0), y - (middle?.y ?? 0))).toBeLessThan(1);
    expect(Math.abs(middle?.x ?? 9)).toBeLessThan(1);
  });

  test('does not make a still mouth shimmer', () => {
    // The edges of an open mouth are sharper than any of a closed one, so sampling them costs more.
    const wobble = (pictures: readonly Uint8Array[]) => Math.min(...pictures.slice(1).map((mouth, i) => psnr(mouth, pictures[i] ?? mouth)));
    const frames = Array.from({ length: 12 }, (_, frame) => frame);
    const open = wobble(frames.map((frame) => mouthOf(shown(frame, only('aa')), frame)));
    expect(open).toBeGreaterThan(35);
  });

  test('and landmarks that jitter by half a pixel shake the mouth by less than a third of one', () => {
    let seed = 3;
    const noise = () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647 - 0.5;
    };
    const still = drawnFace(
      size,
      Array.from({ length: 10 }, () => ({ x: 0, y: 0, tilt: 0, scale: 1 })),
    );
    const shaky = createWarpRenderer({ ...still, landmarks: still.landmarks.map((points) => points.map((px) => px + noise())) });
    const heights = Array.from({ length: 10 }, (_, frame) => {
      const picture = shaky.render(frame, only('O'));
      let [sum, weight] = [0, 0];
      for (let y = 310; y < 380; y += 1) {
        const dark = Math.max(0, 90 - (picture[y * size + 256] ?? 0));
        sum += y * dark;
        weight += dark;
      }
      return sum / weight;
    });
    expect(Math.max(...heights) - Math.min(...heights)).toBeLessThan(1 / 3);
  });
});

describe('a face that is none', () => {
  const frame = filmed(0);
  const points = face.landmarks[0] ?? new Float32Array();
  const one = { size, frames: [frame], landmarks: [points] };

  test.each([
    ['no frame', { ...one, frames: [], landmarks: [] }, 'frames_malformed'],
    ['a short frame', { ...one, frames: [frame.subarray(1)] }, 'frames_malformed'],
    ['an odd size', { ...one, size: 511 }, 'frames_malformed'],
    ['landmarks of another frame count', { ...one, landmarks: [points, points] }, 'landmarks_malformed'],
    ['67 landmarks', { ...one, landmarks: [points.subarray(2)] }, 'landmarks_malformed'],
    ['a landmark that is no number', { ...one, landmarks: [points.with(17, Number.NaN)] }, 'landmarks_malformed'],
    ['all landmarks in one place', { ...one, landmarks: [points.map(() => 200)] }, 'landmarks_degenerate'],
    ['a mirrored face', { ...one, landmarks: [points.map((px, i) => (i % 2 === 0 ? 512 - px : px))] }, 'landmarks_degenerate'],
    [
      'a face seen from the side',
      { ...one, landmarks: [points.map((px, i) => (i % 2 === 0 ? 250 + px / 60 : px))] },
      'landmarks_degenerate',
    ],
  ])('%s is refused', (_, wrong, code) => {
    expect(() => createWarpRenderer(wrong)).toThrow(expect.objectContaining({ name: 'FilmedFaceRefused', code }));
  });

  test('whatever the landmarks are, it is refused by name or drawn within its picture', () => {
    const small = 64;
    const grey = new Uint8Array((small * small * 3) / 2).fill(120);
    const real = Array.from(points, (px) => (px * small) / size);
    const place = fc.oneof(fc.float({ min: -100, max: 200, noNaN: true }), fc.float());
    const wild = fc.array(place, { minLength: 136, maxLength: 136 });
    const shifted = fc
      .record({
        x: fc.integer({ min: -80, max: 80 }),
        y: fc.integer({ min: -80, max: 80 }),
        scale: fc.double({ min: 0.1, max: 12, noNaN: true }),
      })
      .map(({ x, y, scale }) => real.map((px, i) => px * scale + (i % 2 === 0 ? x : y)));
    fc.assert(
      fc.property(fc.oneof(wild, shifted), fc.constantFrom(...visemes), (numbers, viseme) => {
        try {
          const odd = createWarpRenderer({ size: small, frames: [grey], landmarks: [Float32Array.from(numbers)] });
          const picture = odd.render(0, only(viseme));
          expect(picture.length).toBe(grey.length);
          // Grey stays grey but for the mouth, and no frame that was handed in is written to.
          expect(grey.every((value) => value === 120)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(FilmedFaceRefused);
        }
      }),
      { numRuns: 200 },
    );
  });
});
