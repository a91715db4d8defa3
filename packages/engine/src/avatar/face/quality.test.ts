import { expect, test } from 'vitest';
import { type FrameQuality, faultsOf } from './quality.ts';

const face = { mouthOpening: 0.01, yaw: 0, roll: 0, interOcularPx: 100, eyeOpenness: 0.3, x: 256, y: 200 };
const good: FrameQuality = { faces: [face], faceHeightPx: 240, brightness: 120 };

function clip(part: Partial<FrameQuality>): FrameQuality[] {
  return Array.from({ length: 100 }, () => ({ ...good, ...part }));
}

test.each([0, 25, 74])('a clip of %d frames is too short', (length) => {
  expect(faultsOf(Array.from({ length }, () => good))).toMatchObject([{ fault: 'too_short' }]);
});

test.each([75, 100, 300])('a good clip of %d frames passes', (length) => {
  expect(faultsOf(Array.from({ length }, () => good))).toEqual([]);
});

test.each([21, 50, 100])('%d of 100 frames without a face are too many', (bad) => {
  expect(faultsOf(clip({}).map((frame, i) => (i < bad ? { ...frame, faces: [] } : frame)))).toEqual([{ fault: 'no_face', frame: 0 }]);
});

test.each([0, 10, 20])('%d of 100 frames without a face are tolerated', (bad) => {
  expect(faultsOf(clip({}).map((frame, i) => (i < bad ? { ...frame, faces: [] } : frame)))).toEqual([]);
});

test.each([
  ['several_faces', [2, 3, 5].map((n) => ({ faces: Array.from({ length: n }, () => face) }))],
  ['face_too_small', [20, 60, 95].map((faceHeightPx) => ({ faceHeightPx }))],
  ['face_turned_away', [-0.9, 0.55, 0.8].map((yaw) => ({ faces: [{ ...face, yaw }] }))],
  ['mouth_open', [0.13, 0.3, 0.6].map((mouthOpening) => ({ faces: [{ ...face, mouthOpening }] }))],
  ['too_dark', [0, 20, 49].map((brightness) => ({ brightness }))],
])('%s is found', (fault, parts) => {
  for (const part of parts) expect(faultsOf(clip(part)).map((refusal) => refusal.fault)).toEqual([fault]);
});

test.each([
  ['size', [96, 200, 400].map((faceHeightPx) => ({ faceHeightPx }))],
  ['turn', [-0.45, 0.2, 0.5].map((yaw) => ({ faces: [{ ...face, yaw }] }))],
  ['mouth', [0, 0.05, 0.12].map((mouthOpening) => ({ faces: [{ ...face, mouthOpening }] }))],
  ['light', [50, 120, 240].map((brightness) => ({ brightness }))],
])('an acceptable %s passes', (_name, parts) => {
  for (const part of parts) expect(faultsOf(clip(part))).toEqual([]);
});

test.each([9, 20, 60])('a head that jumps by %d px is shaky, one that drifts is not', (px) => {
  const moved = (step: number) => clip({}).map((frame, i) => ({ ...frame, faces: [{ ...face, x: 256 + (i % 2) * step }] }));
  expect(faultsOf(moved(px)).map(({ fault }) => fault)).toEqual(['too_shaky']);
  expect(faultsOf(moved(px / 10))).toEqual([]);
});

test('the worst frame is named', () => {
  expect(faultsOf(clip({ brightness: 40 }).map((frame, i) => (i === 37 ? { ...frame, brightness: 3 } : frame)))).toEqual([
    { fault: 'too_dark', frame: 37 },
  ]);
});
