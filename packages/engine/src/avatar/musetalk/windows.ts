/*
 * What MuseTalk hears for each frame: Whisper's hidden states around it, with the positions of the rows
 * added (musetalk/utils/audio_processor.py and musetalk/models/unet.py upstream).
 */

export const statesPerSecond = 50;
/** Whisper tiny: the inputs of its four layers, and its output. */
export const stateLayers = 5;
export const stateWidth = 384;
const framesPerSecond = 25;
const stepMs = 1_000 / statesPerSecond;
const windowSteps = 10;
/** Zeros around the speech, steps; a window never reaches further than upstream's. */
const leftPadding = 4;
const rightPadding = 12;
export const promptRows = windowSteps * stateLayers;
/** Where upstream's window begins, relative to its frame; LiveTalking's begins at 0. */
export const upstreamWindowOffsetMs = -80;

export interface HiddenStates {
  /** [steps, 5, 384] */
  readonly data: Float32Array;
  /** Of 20 ms. */
  readonly steps: number;
}

/** Without what the encoder says about its own padding. `data`: [1, 1500, 5, 384] of `seconds` of speech. */
export function trimmedStates(data: Float32Array, seconds: number): HiddenStates {
  const stepSize = stateLayers * stateWidth;
  const steps = Math.min(Math.floor(data.length / stepSize), Math.floor(seconds * statesPerSecond));
  return { data: data.subarray(0, steps * stepSize), steps };
}

/** Of speech that was heard in parts. */
export function joinedStates(parts: readonly HiddenStates[]): HiddenStates {
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { data, steps: parts.reduce((sum, { steps }) => sum + steps, 0) };
}

/** `PositionalEncoding(d_model=384)`: sin at even columns, cos at odd ones. [50, 384] */
export const positions = Float32Array.from({ length: promptRows * stateWidth }, (_, index) => {
  const row = Math.floor(index / stateWidth);
  const column = index % stateWidth;
  const angle = row * Math.exp((-Math.log(10_000) * (column - (column % 2))) / stateWidth);
  return column % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
});

export interface WindowOf {
  /** Of 40 ms, from the beginning of the speech. */
  readonly frame: number;
  /** Where the window of 200 ms begins, relative to the frame: -80 to 40 in steps of 20. */
  readonly offsetMs: number;
}

/** [50, 384]: ten steps of five layers each. Silence before and after is zeros. */
export function frameWindow({ data, steps }: HiddenStates, { frame, offsetMs }: WindowOf): Float32Array {
  const offset = offsetMs / stepMs;
  if (!Number.isInteger(offset) || offset < -leftPadding || offset > rightPadding - windowSteps) {
    throw new RangeError(
      `a window begins ${-leftPadding * stepMs} to ${(rightPadding - windowSteps) * stepMs} ms after its frame, not ${offsetMs}`,
    );
  }
  const stepSize = stateLayers * stateWidth;
  const first = Math.floor((frame * statesPerSecond) / framesPerSecond) + offset;
  const window = new Float32Array(windowSteps * stepSize);
  const from = Math.min(Math.max(first, 0), steps);
  const to = Math.min(Math.max(first + windowSteps, from), steps);
  if (to > from) window.set(data.subarray(from * stepSize, to * stepSize), (from - first) * stepSize);
  return window;
}

/** What the UNet attends to: the window and the positions of its rows. */
export function audioPrompt(states: HiddenStates, of: WindowOf): Float32Array {
  return frameWindow(states, of).map((value, index) => value + (positions[index] ?? 0));
}
