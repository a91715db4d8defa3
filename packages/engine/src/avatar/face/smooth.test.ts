import { describe, expect, test } from 'vitest';
import { drawnFace } from '../../../../../test/support/drawn-face.ts';
import { seeded } from '../../../../../test/support/seeded.ts';
import { measureFace } from './measure.ts';
import { smoothLandmarks, smoothTrack } from './smooth.ts';

interface Motion {
  readonly x: number;
  readonly y: number;
  readonly tilt: number;
  readonly scale: number;
}

const [face = new Float32Array()] = drawnFace(16, [{ x: 0, y: 0, tilt: 0, scale: 1 }]).landmarks.map((points) =>
  points.map((px) => px * 32),
);
const still = { x: 0, y: 0, tilt: 0, scale: 1 };

/** The drawn face of 512 px, whose eyes are 100 px apart, about its chin. */
function posed({ x, y, tilt, scale }: Motion, lids = 1): Float32Array {
  const [cos, sin] = [Math.cos(tilt) * scale, Math.sin(tilt) * scale];
  const blinking = face.map((px, i) => (i % 2 === 1 && i >= 72 && i < 96 ? 204 + (px - 204) * lids : px));
  return blinking.map((px, i) => {
    const [dx, dy] = i % 2 === 0 ? [px - 256, (blinking[i + 1] ?? 0) - 420] : [(blinking[i - 1] ?? 0) - 256, px - 420];
    return i % 2 === 0 ? 256 + x + cos * dx - sin * dy : 420 + y + sin * dx + cos * dy;
  });
}

function film(frames: number, at: (frame: number) => Motion, lids: (frame: number) => number = () => 1): Float32Array[] {
  return Array.from({ length: frames }, (_, frame) => posed(at(frame), lids(frame)));
}

/** Standard deviation in px of each coordinate, independent from frame to frame. */
function shaken(track: readonly Float32Array[], px: number): Float32Array[] {
  const random = seeded(5);
  const gaussian = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return track.map((points) => points.map((value) => value + px * gaussian()));
}

/** Root mean square over all frames and the coordinates of these points, px. */
function error(track: readonly Float32Array[], truth: readonly Float32Array[], [first, end]: readonly [number, number] = [0, 68]): number {
  const squares = track.flatMap((points, i) => [...points].map((px, k) => (px - (truth[i]?.[k] ?? 0)) ** 2).slice(2 * first, 2 * end));
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
}

const nodding = (frame: number): Motion => ({
  x: 8 * Math.sin(frame / 9),
  y: 6 * Math.sin((2 * Math.PI * 2 * frame) / 25),
  tilt: 0.05 * Math.sin(frame / 14),
  scale: 1 + 0.02 * Math.sin(frame / 20),
});

describe('a track of a still head', () => {
  const truth = film(120, () => still);
  const calm = smoothLandmarks(shaken(truth, 0.5));

  test('loses most of its jitter, the outline nearly all', () => {
    expect(error(shaken(truth, 0.5), truth)).toBeCloseTo(0.5, 1);
    expect(error(calm, truth)).toBeLessThan(0.3);
    expect(error(calm, truth, [0, 17])).toBeLessThan(0.25);
  });

  test('jumps less from frame to frame', () => {
    const steps = (track: readonly Float32Array[]) => error(track.slice(1), track);
    expect(steps(calm)).toBeLessThan(0.45 * steps(shaken(truth, 0.5)));
  });
});

describe('a track of a head that nods at 2 Hz', () => {
  const truth = film(120, nodding);

  test('keeps the motion, without lag', () => {
    const calm = smoothLandmarks(truth);
    expect(error(calm, truth)).toBeLessThan(0.25);
    // Played backwards it is the same: a filter that lags would not do that.
    const backwards = smoothLandmarks(truth.toReversed()).toReversed();
    expect(error(backwards, calm)).toBeLessThan(1e-3);
  });

  test('is nearer to the truth than what was measured', () => {
    const seen = shaken(truth, 0.5);
    expect(error(smoothLandmarks(seen), truth)).toBeLessThan(0.7 * error(seen, truth));
  });

  test('is not changed in length, nor are its frames written to', () => {
    const seen = shaken(truth, 0.5);
    const copy = seen.map((points) => points.slice());
    expect(smoothLandmarks(seen)).toHaveLength(seen.length);
    expect(seen).toEqual(copy);
  });
});

test('a blink of five frames keeps nine tenths of its depth, less what noise takes', () => {
  const lids = (frame: number) => 1 - Math.max(0, 1 - Math.abs(frame - 30) / 3);
  const openness = (track: readonly Float32Array[]) => track.map((points) => measureFace(points)?.eyeOpenness ?? 0);
  const truth = openness(film(60, () => still, lids));
  const calm = openness(
    smoothLandmarks(
      shaken(
        film(60, () => still, lids),
        0.1,
      ),
    ),
  );
  const depth = (values: readonly number[]) => (values[10] ?? 0) - Math.min(...values);
  expect(depth(calm)).toBeGreaterThan(0.85 * depth(truth));
  expect(calm.indexOf(Math.min(...calm))).toBe(30);
});

test.each([0, 1, 2, 3])('a track of %d frames comes back', (frames) => {
  const track = film(frames, () => still);
  expect(smoothLandmarks(track)).toHaveLength(frames);
  expect(error([...smoothLandmarks(track), posed(still)], [...track, posed(still)])).toBeLessThan(1e-3);
});

describe('frames without a face', () => {
  const truth = film(60, (frame) => ({ ...still, x: frame }));

  test.each([1, 3, 5])('%d in a row are filled in', (gap) => {
    const seen = truth.map((points, i) => (i >= 20 && i < 20 + gap ? null : points));
    const calm = smoothTrack(seen);
    expect(calm.every((points) => points !== null)).toBe(true);
    expect(
      error(
        calm.flatMap((points) => points ?? []),
        truth,
      ),
    ).toBeLessThan(0.05);
  });

  test('more than five in a row part the track, and neither part knows of the other', () => {
    const seen = truth.map((points, i) => (i >= 20 && i < 26 ? null : points));
    const elsewhere = seen.map((points, i) => (i >= 26 ? (points?.map((px) => px + 100) ?? null) : points));
    expect(smoothTrack(seen).map((points) => points === null)).toEqual(seen.map((points) => points === null));
    expect(smoothTrack(elsewhere).slice(0, 20)).toEqual(smoothTrack(seen).slice(0, 20));
  });

  test('at the ends stay without one', () => {
    const seen = truth.map((points, i) => (i < 2 || i > 57 ? null : points));
    expect(smoothTrack(seen).map((points) => points === null)).toEqual(seen.map((points) => points === null));
    expect(smoothTrack([null, null])).toEqual([null, null]);
    expect(smoothTrack([])).toEqual([]);
  });
});
