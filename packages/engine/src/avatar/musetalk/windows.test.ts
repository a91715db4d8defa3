import { expect, test } from 'vitest';
import { audioPrompt, frameWindow, positions, trimmedStates, upstreamWindowOffsetMs } from './windows.ts';

const rowSize = 384;
/** Every value says where it comes from: step * 10 + layer. */
const encoded = Float32Array.from({ length: 1_500 * 5 * rowSize }, (_, index) => {
  const row = Math.floor(index / rowSize);
  return 10 * Math.floor(row / 5) + (row % 5) + 1;
});
const rowsOf = (window: Float32Array) => Array.from({ length: 50 }, (_, row) => window[row * rowSize] ?? Number.NaN);
const stepsOf = (window: Float32Array) =>
  rowsOf(window)
    .filter((_, row) => row % 5 === 0)
    .map((value) => (value === 0 ? null : (value - 1) / 10));
const upstream = { offsetMs: upstreamWindowOffsetMs };

test('2.39 s of speech are 119 steps', () => {
  expect(trimmedStates(encoded, 2.39).steps).toBe(119);
  expect(trimmedStates(encoded, 31).steps).toBe(1_500);
});

// audio_processor.py, get_whisper_chunk: four zero steps before; ten steps from floor(frame * 50 / 25) on.
test.for([
  [0, [null, null, null, null, 0, 1, 2, 3, 4, 5]],
  [1, [null, null, 0, 1, 2, 3, 4, 5, 6, 7]],
  [2, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  [24, [44, 45, 46, 47, 48, 49, null, null, null, null]],
  [30, Array(10).fill(null)],
] as const)('frame %i of a second of speech hears the steps %j', ([frame, steps]) => {
  expect(stepsOf(frameWindow(trimmedStates(encoded, 1), { frame, ...upstream }))).toEqual(steps);
});

test('the layers of a step follow each other', () => {
  expect(rowsOf(frameWindow(trimmedStates(encoded, 1), { frame: 2, ...upstream })).slice(0, 7)).toEqual([1, 2, 3, 4, 5, 11, 12]);
});

// LiveTalking hears 80 ms later than upstream: its own 40 ms and the 160 ms after them.
test('an offset of 0 begins with the frame itself', () => {
  expect(stepsOf(frameWindow(trimmedStates(encoded, 1), { frame: 2, offsetMs: 0 }))).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
});

test.for([-100, 60, 10])('an offset of %i ms is refused', (offsetMs) => {
  expect(() => frameWindow(trimmedStates(encoded, 1), { frame: 0, offsetMs })).toThrow(RangeError);
});

// "Attention Is All You Need", 3.5: PE(pos, 2i) = sin(pos / 10000^(2i/d)), PE(pos, 2i+1) = cos(the same).
test.for([
  [0, 0, 0],
  [0, 1, 1],
  [1, 0, 0.841471],
  [1, 1, 0.540302],
  [49, 0, -0.953753],
  [10, 192, 0.0998334],
  [10, 193, 0.995004],
  [49, 383, 0.999987],
] as const)('row %i, column %i of the positions is %f', ([row, column, value]) => {
  expect(positions[row * rowSize + column]).toBeCloseTo(value, 5);
});

test('a prompt is the window and the positions', () => {
  const prompt = audioPrompt(trimmedStates(encoded, 1), { frame: 2, ...upstream });
  expect(prompt).toHaveLength(50 * rowSize);
  expect(prompt[rowSize]).toBeCloseTo(2 + Math.sin(1), 5);
});
