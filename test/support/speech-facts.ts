import { playoutRate, type Speech, type Viseme } from '../../packages/engine/src/media/ports.ts';

/* What can be measured in a speech, all in ms and dB relative to full scale. */

export function durationMs({ samples }: Speech): number {
  return (samples.length * 1000) / playoutRate;
}

/** RMS of a stretch. */
export function levelDb({ samples }: Speech, startMs: number, endMs: number): number {
  const part = samples.subarray(Math.round((startMs * playoutRate) / 1000), Math.round((endMs * playoutRate) / 1000));
  return 20 * Math.log10(Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / part.length) / 32_768 + 1e-9);
}

/** Mean over the middle halves of everything that has one of these shapes. */
export function shapeLevelDb(speech: Speech, shapes: readonly Viseme[]): number {
  const levels = speech.visemes
    .filter(({ viseme }) => shapes.includes(viseme))
    .map(({ startMs, endMs }) => levelDb(speech, startMs + (endMs - startMs) / 4, endMs - (endMs - startMs) / 4));
  return levels.reduce((sum, level) => sum + level, 0) / levels.length;
}

/** Of the frames that are heard: within 30 dB of the loudest. */
export function loudnessDb(speech: Speech): number {
  const frames = Array.from({ length: Math.floor(durationMs(speech) / 10) }, (_, index) => levelDb(speech, index * 10, index * 10 + 10));
  const loudest = Math.max(...frames);
  const heard = frames.filter((level) => level > loudest - 30).map((level) => 10 ** (level / 10));
  return 10 * Math.log10(heard.reduce((sum, power) => sum + power, 0) / heard.length);
}

/** First and last moment louder than -46 dB. */
export function soundMs(speech: Speech): { readonly from: number; readonly to: number } {
  const frames = Array.from({ length: Math.floor(durationMs(speech) / 5) }, (_, index) => levelDb(speech, index * 5, index * 5 + 5) > -46);
  return { from: frames.indexOf(true) * 5, to: (frames.lastIndexOf(true) + 1) * 5 };
}

export function peak({ samples }: Speech): number {
  return samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0) / 32_768;
}
