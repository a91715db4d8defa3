import type { AvatarQuality } from '@virtual-tutor/schemas';
import { type FaceFacts, frameFacts } from '../artifact/face-file.ts';
import { avatarSize } from '../artifact/manifest.ts';
import { boxOf } from '../face/face-square.ts';
import { type FaceMeasure, measureFace } from '../face/measure.ts';
import type { FaceFinder, FoundFace } from '../face/ports.ts';
import { smoothLandmarks } from '../face/smooth.ts';
import { rgbOfI420 } from '../i420-picture.ts';
import type { Square } from '../source/clip.ts';
import type { TrackedFace } from './judge.ts';

/** Of a loop's distinct frames. */
export interface MeasuredLoop {
  /** Smoothed, px of the frames. */
  readonly landmarks: readonly Float32Array[];
  readonly face: FaceFacts;
  readonly quality: AvatarQuality;
}

export interface LoopMeasuring {
  readonly finder: FaceFinder;
  /** I420, `avatarSize`. */
  readonly frames: readonly Uint8Array[];
  /** The same frames' faces as they were seen in the whole picture. */
  readonly track: readonly TrackedFace[];
  /** What of the clip the frames show, and how many of its px one of the whole picture's is. */
  readonly square: Square;
  readonly scale: number;
  readonly signal: AbortSignal;
  onFrame(done: number): void;
}

/** The landmarks' network sees a face this large, px: one that was smaller in the whole picture is looked at again in the frames. */
const enoughPx = 86;

export async function measureLoop(loop: LoopMeasuring): Promise<MeasuredLoop> {
  const { finder, frames, track, square, scale } = loop;
  const carried = track.map(({ landmarks }) => inFrame(landmarks, square, scale));
  const sides = track.map(({ landmarks: points }) => Math.max(boxOf(points).width, boxOf(points).height));
  const landmarks = median(sides) >= enoughPx ? carried : smoothLandmarks(await seenAgain(loop, carried));
  const middle = frames.length >> 1;
  const face = faceOf(landmarks[middle] ?? new Float32Array(136));
  const embedding = await finder.embed(rgbOfI420(frames[middle] ?? new Uint8Array(), avatarSize), face);
  const measures = landmarks.map((points) => measureFace(points));
  const facts = frames.map((frame, i) => {
    const measure = measures[i];
    if (measure === null || measure === undefined) throw new RangeError('a face of the loop has no measure');
    const box = boxOf(landmarks[i] ?? new Float32Array(136));
    return frameFacts(box, measure, brightnessOf(frame, box));
  });
  return { landmarks, face: { embedding: [...embedding], frames: facts }, quality: qualityOf(facts, measures) };
}

function inFrame(landmarks: Float32Array, { x, y, side }: Square, scale: number): Float32Array {
  return landmarks.map((px, i) => ((px * scale - (i % 2 === 0 ? x : y)) * avatarSize) / side);
}

async function seenAgain({ finder, frames, signal, onFrame }: LoopMeasuring, carried: readonly Float32Array[]): Promise<Float32Array[]> {
  const landmarks: Float32Array[] = [];
  for (const [i, frame] of frames.entries()) {
    signal.throwIfAborted();
    const expected = carried[i] ?? new Float32Array(136);
    const [found] = await finder.find(rgbOfI420(frame, avatarSize), [faceOf(expected)]);
    landmarks.push(found?.landmarks ?? expected);
    onFrame(i + 1);
  }
  return landmarks;
}

function faceOf(landmarks: Float32Array): FoundFace {
  return { box: boxOf(landmarks), score: 1, landmarks };
}

/** 0 to 255, of I420 in video range; every second pixel each way. */
function brightnessOf(frame: Uint8Array, { x, y, width, height }: FoundFace['box']): number {
  const within = (px: number) => Math.min(avatarSize, Math.max(0, Math.round(px)));
  let sum = 0;
  let count = 0;
  for (let row = within(y); row < within(y + height); row += 2) {
    for (let column = within(x); column < within(x + width); column += 2) {
      sum += frame[row * avatarSize + column] ?? 0;
      count += 1;
    }
  }
  return count === 0 ? 0 : Math.min(255, Math.max(0, ((sum / count - 16) * 255) / 219));
}

function qualityOf(frames: FaceFacts['frames'], measures: readonly (FaceMeasure | null)[]): AvatarQuality {
  const motions = measures.slice(1).map((face, i) => {
    const before = measures[i];
    return face === null || before === null || before === undefined
      ? 0
      : Math.hypot(face.x - before.x, face.y - before.y) / face.interOcularPx;
  });
  const rounded = (values: readonly number[]) => Number(median(values).toFixed(4));
  return {
    faceHeightPx: rounded(frames.map(({ box }) => box.height)),
    brightness: rounded(frames.map(({ brightness }) => brightness)),
    mouthOpening: rounded(frames.map(({ mouthOpening }) => mouthOpening)),
    turn: rounded(frames.map(({ yaw }) => Math.abs(yaw))),
    motion: rounded(motions),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
