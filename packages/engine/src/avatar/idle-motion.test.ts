import { expect, test } from 'vitest';
import { framesPerSecond } from '../media/ports.ts';
import { idleFrames, type Pose, poseAt } from './idle-motion.ts';

const frames = Array.from({ length: idleFrames + 1 }, (_, position) => poseAt(position));
const steps = frames.slice(1).map((pose, i) => [poseAt(i), pose] as const);

function moved(part: keyof Pose): number {
  return Math.max(...steps.map(([before, after]) => Math.abs(after[part] - before[part])));
}

test('the loop lasts 8 to 10 s, closes and goes on for ever', () => {
  expect(idleFrames / framesPerSecond).toBeGreaterThanOrEqual(8);
  expect(idleFrames / framesPerSecond).toBeLessThanOrEqual(10);
  expect(poseAt(idleFrames)).toEqual(poseAt(0));
  expect(poseAt(7 * idleFrames + 33)).toEqual(poseAt(33));
});

test('the head moves a little, never by more than half a pixel a frame, also where the loop closes', () => {
  expect(moved('headX')).toBeLessThan(0.5);
  expect(moved('headY')).toBeLessThan(0.5);
  expect(moved('breath')).toBeLessThan(0.5);
  expect(moved('tilt') * 200).toBeLessThan(0.5);
  expect(Math.max(...frames.map((pose) => Math.abs(pose.headX)))).toBeGreaterThan(2);
});

test('the eyes blink a few times, once twice in a row, and are open where viewers join and leave', () => {
  const shut = frames.flatMap(({ lids }, frame) => (lids === 1 ? [frame] : []));
  expect(shut.length).toBeGreaterThanOrEqual(3);
  expect(shut.some((frame, i) => frame - (shut[i - 1] ?? -99) < 15)).toBe(true);
  for (let frame = 0; frame < idleFrames; frame += framesPerSecond) expect(poseAt(frame).lids).toBe(0);
});

test('the eyes wander and come back', () => {
  expect(new Set(frames.map(({ gazeX }) => gazeX)).size).toBeGreaterThan(3);
  expect(poseAt(idleFrames - 1).gazeX).toBe(poseAt(0).gazeX);
});
