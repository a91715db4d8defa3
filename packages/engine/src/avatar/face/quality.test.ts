import { expect, test } from 'vitest';
import { type FrameQuality, faultsOf } from './quality.ts';

const face = { mouthOpening: 0.01, yaw: 0, roll: 0, interOcularPx: 100, eyeOpenness: 0.3, x: 256, y: 200 };
const good: FrameQuality = { faces: [face], faceHeightPx: 240, brightness: 120 };

function clip(part: Partial<FrameQuality>): FrameQuality[] {
  return Array.from({ length: 100 }, () => ({ ...good, ...part }));
}

test.each([0, 2, 25, 74])('a clip of %d frames is too short', (length) => {
  expect(faultsOf(Array.from({ length }, () => good))).toMatchObject([{ fault: 'too_short' }]);
});

test.each([75, 100, 300])('a good clip of %d frames passes', (length) => {
  expect(faultsOf(Array.from({ length }, () => good))).toEqual([]);
});

test('a photo is not too short', () => {
  expect(faultsOf([good])).toEqual([]);
  expect(faultsOf([{ ...good, brightness: 10 }])).toEqual([{ fault: 'too_dark', frame: 0 }]);
});

test.each([21, 50, 100])('%d of 100 frames without a face are too many', (bad) => {
  expect(faultsOf(clip({}).map((frame, i) => (i < bad ? { ...frame, faces: [] } : frame)))).toEqual([{ fault: 'no_face', frame: 0 }]);
});

test.each([0, 10, 20])('%d of 100 frames without a face are tolerated', (bad) => {
  expect(faultsOf(clip({}).map((frame, i) => (i < bad ? { ...frame, faces: [] } : frame)))).toEqual([]);
});

test('but not when none of what is between them is long enough to idle in', () => {
  expect(faultsOf(clip({}).map((frame, i) => (i % 50 === 30 ? { ...frame, faces: [] } : frame)))).toEqual([
    { fault: 'no_face', frame: 30 },
  ]);
});

test('a black clip is too dark as well', () => {
  expect(faultsOf(clip({ faces: [], brightness: 4 })).map(({ fault }) => fault)).toEqual(['no_face', 'too_dark']);
});

test.each([
  ['several_faces', [2, 3, 5].map((n) => ({ faces: Array.from({ length: n }, () => face) }))],
  ['face_too_small', [20, 40, 63].map((faceHeightPx) => ({ faceHeightPx }))],
  ['face_turned_away', [-0.9, 0.55, 0.8].map((yaw) => ({ faces: [{ ...face, yaw }] }))],
  ['mouth_open', [0.09, 0.13, 0.6].map((mouthOpening) => ({ faces: [{ ...face, mouthOpening }] }))],
  ['too_dark', [0, 20, 39].map((brightness) => ({ brightness }))],
])('%s is found', (fault, parts) => {
  for (const part of parts) expect(faultsOf(clip(part)).map((refusal) => refusal.fault)).toEqual([fault]);
});

test.each([
  ['size', [64, 200, 400].map((faceHeightPx) => ({ faceHeightPx }))],
  ['turn', [-0.45, 0.2, 0.49].map((yaw) => ({ faces: [{ ...face, yaw }] }))],
  ['mouth', [0, 0.05, 0.08].map((mouthOpening) => ({ faces: [{ ...face, mouthOpening }] }))],
  ['light', [40, 120, 240].map((brightness) => ({ brightness }))],
])('an acceptable %s passes', (_name, parts) => {
  for (const part of parts) expect(faultsOf(clip(part))).toEqual([]);
});

test.each([6, 20, 45])('a head that jumps by %d px is shaky, one that drifts is not', (px) => {
  const moved = (step: number) => clip({}).map((frame, i) => ({ ...frame, faces: [{ ...face, x: 256 + (i % 2) * step }] }));
  expect(faultsOf(moved(px)).map(({ fault }) => fault)).toEqual(['too_shaky']);
  expect(faultsOf(moved(px / 10))).toEqual([]);
});

test.each([
  ['a stretch of 3 s before it', (i: number) => i >= 80, []],
  ['a stretch of 3 s between', (i: number) => i < 60 || i >= 135, []],
  ['no stretch', (i: number) => i % 60 < 20, ['mouth_open']],
  ['no stretch, though lips are seldom apart', (i: number) => i % 70 === 0, ['mouth_open']],
])('speech with %s of closed lips', (_name, open, faults) => {
  const talk = Array.from({ length: 200 }, (_, i) => ({
    ...good,
    faces: [{ ...face, mouthOpening: open(i) ? 0.1 + 0.1 * (i % 3) : 0.01 }],
  }));
  expect(faultsOf(talk).map(({ fault }) => fault)).toEqual(faults);
});

test('several faults come in the order in which a teacher can act on them', () => {
  const all = faultsOf(clip({ faces: [face, face], faceHeightPx: 20, brightness: 0 }).slice(0, 50)).map(({ fault }) => fault);
  expect(all).toEqual(['too_short', 'several_faces', 'face_too_small', 'too_dark']);
});

test('the worst frame is named', () => {
  expect(faultsOf(clip({ brightness: 30 }).map((frame, i) => (i === 37 ? { ...frame, brightness: 3 } : frame)))).toEqual([
    { fault: 'too_dark', frame: 37 },
  ]);
});
