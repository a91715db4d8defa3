import type { FrameInput } from './graphs.ts';
import type { Pixels } from './resize.ts';
import { MuseTalkUnavailable } from './unavailable.ts';
import { positions } from './windows.ts';

/* What loading finds out: whether a picture comes out at all, and how fast. One exported decoder drew flat grey faces. */

export type Live =
  | { readonly live: true; readonly framesPerSecond: number; readonly cost: BatchCost }
  /** Usable for what is not watched while it is made. */
  | { readonly live: false; readonly framesPerSecond: number; readonly reason: string };

/** An inference takes `baseMs + frames * perFrameMs`. */
export interface BatchCost {
  readonly baseMs: number;
  readonly perFrameMs: number;
}

const liveFramesPerSecond = 25;
const testedBatch = 8;
/** Of 255: a picture that varies by less is grey, whatever it shows. */
const leastVariation = 2;
/** Beyond the nominal range; decoders overshoot by a little. */
const mostOvershoot = 1;

/** The same at each load: a wave through the latents, and silence. */
export const testFace: FrameInput = {
  latents: Float32Array.from({ length: 8 * 32 * 32 }, (_, index) => Math.sin(index * 0.37) + 0.5 * Math.cos(index * 0.011)),
  audio: positions,
};

export interface MadeInTest {
  /** Of Whisper, on silence. */
  readonly states: Float32Array;
  /** As the decoder gave it. */
  readonly image: Float32Array;
  readonly pixels: '-1..1' | '0..1';
}

export function checkFace({ states, image, pixels }: MadeInTest): void {
  const advice = 'export this model again, in float32 if it was float16, and compare one frame with PyTorch';
  if (!states.every(Number.isFinite)) throw new MuseTalkUnavailable('self_test_failed', 'Whisper makes no numbers of silence', { advice });
  if (!image.every(Number.isFinite)) throw new MuseTalkUnavailable('self_test_failed', 'the decoder paints no numbers', { advice });
  const range = pixels === '-1..1' ? { from: -1, size: 2 } : { from: 0, size: 1 };
  const levels = image.map((value) => (value - range.from) / range.size);
  const mean = levels.reduce((sum, value) => sum + value, 0) / levels.length;
  const deviation = Math.sqrt(levels.reduce((sum, value) => sum + (value - mean) ** 2, 0) / levels.length);
  if (deviation * 255 < leastVariation) {
    throw new MuseTalkUnavailable('self_test_failed', `the decoder paints a flat face (deviation ${(deviation * 255).toFixed(2)} of 255)`, {
      advice,
    });
  }
  if (mean < -mostOvershoot / 2 || mean > 1 + mostOvershoot / 2 || deviation > 1 + mostOvershoot) {
    throw new MuseTalkUnavailable('self_test_failed', `the decoder's values lie around ${mean.toFixed(2)} of their range`, {
      advice: 'check `scaling` and `pixels` of the decoder in the manifest',
    });
  }
}

export interface SpeedTest {
  readonly draw: (frames: readonly FrameInput[]) => Promise<readonly Pixels[]>;
  readonly nowMs: () => number;
}

/** The first run of each size is not timed: providers choose their kernels in it. */
export async function checkedSpeed({ draw, nowMs }: SpeedTest): Promise<Live> {
  const timed = async (count: number) => {
    const frames = Array.from({ length: count }, () => testFace);
    const startedMs = nowMs();
    await draw(frames);
    return nowMs() - startedMs;
  };
  const aloneMs = Math.min(await timed(1), await timed(1));
  // No batch makes a frame cheaper than its share of one inference: eight in 320 ms, if each came for nothing.
  const hopeless = aloneMs > (testedBatch * 1_000) / liveFramesPerSecond;
  const batchMs = hopeless ? aloneMs * testedBatch : Math.min(await timed(testedBatch), await timed(testedBatch));
  const framesPerSecond = (testedBatch * 1_000) / Math.max(batchMs, Number.EPSILON);
  if (framesPerSecond < liveFramesPerSecond) {
    const reason = `${framesPerSecond.toFixed(1)} frames a second in batches of ${testedBatch}; ${liveFramesPerSecond} are needed`;
    return { live: false, framesPerSecond, reason };
  }
  const perFrameMs = Math.max(0, (batchMs - aloneMs) / (testedBatch - 1));
  return { live: true, framesPerSecond, cost: { baseMs: Math.max(0, aloneMs - perFrameMs), perFrameMs } };
}
