import { playoutRate, type Speech, type TimedViseme, type TimedWord } from '../media/ports.ts';
import { asInt16, resample } from '../media/resample.ts';

/** What a synthesiser made: at its own rate and loudness, with the silence that it puts around. */
export interface RawSpeech {
  readonly samples: Int16Array;
  /** Hz. */
  readonly rate: number;
  readonly visemes: readonly TimedViseme[];
  readonly words: readonly TimedWord[];
  readonly engine: string;
}

/** Loudness of the voiced parts, RMS relative to full scale, dB; speech peaks 15 to 18 dB above. */
const targetDb = -20;
/** Nothing is amplified by more, dB: what needs it is noise. */
const mostGainDb = 24;
/** A frame this far below the loudest one is silence, dB; in a noisy voice one this far above its noise may be, too. */
const silenceDb = { quiet: -42, aboveNoise: 8, most: -30 } as const;
/** As much that cannot be heard is kept where the timeline has a sound: a soft one, or lips still closed; ms. */
const softMs = 90;
/** Length of such a frame, ms. */
const frameMs = 10;
/** Silence before a sentence, ms: enough for a decoder to settle, too short to wait for. */
export const leadMs = 30;
/** Silence after a sentence, ms: the breath before the next one. */
export const tailMs = 240;
/** Where the sound was cut out of its silence, ms. */
const fadeMs = 5;
/** Above this the limiter bends the peaks, of full scale. */
const knee = 0.8;
/** Where they end: the overshoot of Opus needs the rest. */
const ceiling = 0.97;

/** Cuts the silence around speech to fixed lengths, levels it, and brings it to `playoutRate`. */
export function finishSpeech(raw: RawSpeech): Speech {
  const { rate, engine } = raw;
  const levels = frameLevels(raw.samples, rate);
  const extent = voicedExtent(raw, levels);
  if (extent === null) return { samples: new Int16Array(0), visemes: [], words: [], engine };
  const lead = inSamples(leadMs, rate);
  const first = inSamples(extent.startMs, rate) - lead;
  const padded = cut(raw.samples, {
    from: first,
    to: inSamples(extent.endMs + tailMs, rate),
    kept: inSamples(extent.endMs, rate) + lead,
    fade: inSamples(fadeMs, rate),
    gain: gainFor(levels) / 32_768,
  });
  const samples = asInt16(limited(resample(padded, rate, playoutRate)));
  const durationMs = (samples.length * 1000) / playoutRate;
  const shiftMs = (-first * 1000) / rate;
  const moved = <T extends { readonly startMs: number; readonly endMs: number }>(timed: T): T => ({
    ...timed,
    startMs: clamp(timed.startMs + shiftMs, durationMs),
    endMs: clamp(timed.endMs + shiftMs, durationMs),
  });
  return { samples, visemes: withSilence(raw.visemes.map(moved), durationMs), words: raw.words.map(moved), engine };
}

/** RMS of each frame, of full scale. */
function frameLevels(samples: Int16Array, rate: number): Float32Array {
  const length = Math.round((rate * frameMs) / 1000);
  const levels = new Float32Array(Math.ceil(samples.length / length));
  for (let frame = 0; frame < levels.length; frame += 1) {
    const end = Math.min(samples.length, (frame + 1) * length);
    let sum = 0;
    for (let index = frame * length; index < end; index += 1) sum += (samples[index] ?? 0) ** 2;
    levels[frame] = Math.sqrt(sum / (end - frame * length)) / 32_768;
  }
  return levels;
}

/** From the first sound to the last, by ear and by timeline; null: there is none. */
function voicedExtent(raw: RawSpeech, levels: Float32Array): { readonly startMs: number; readonly endMs: number } | null {
  const threshold = silenceLevel(levels);
  // One bit of a 16-bit sample.
  if (threshold < 1 / 32_768 / 8) return null;
  const start = levels.findIndex((level) => level > threshold);
  const end = levels.findLastIndex((level) => level > threshold) + 1;
  const shown = raw.visemes.filter(({ viseme }) => viseme !== 'sil');
  const lengthMs = (raw.samples.length * 1000) / raw.rate;
  const [firstMs, lastMs] = [start * frameMs, end * frameMs];
  return {
    startMs: clamp(Math.min(firstMs, Math.max(shown.at(0)?.startMs ?? lengthMs, firstMs - softMs)), lengthMs),
    endMs: clamp(Math.max(lastMs, Math.min(shown.at(-1)?.endMs ?? 0, lastMs + softMs)), lengthMs),
  };
}

/** Louder than this is voice, of full scale. A tenth of the frames is taken for the voice's own noise. */
function silenceLevel(levels: Float32Array): number {
  const most = loudest(levels);
  const noise = levels.toSorted()[Math.floor(levels.length / 10)] ?? 0;
  const aboveNoise = noise * decibels(silenceDb.aboveNoise);
  return Math.min(most * decibels(silenceDb.most), Math.max(most * decibels(silenceDb.quiet), aboveNoise));
}

function gainFor(levels: Float32Array): number {
  const threshold = loudest(levels) * decibels(-30);
  const voiced = levels.filter((level) => level > threshold);
  const rms = Math.sqrt(voiced.reduce((sum, level) => sum + level * level, 0) / voiced.length);
  return Math.min(decibels(targetDb) / rms, decibels(mostGainDb));
}

function loudest(levels: Float32Array): number {
  return levels.reduce((most, level) => Math.max(most, level), 0);
}

function decibels(value: number): number {
  return 10 ** (value / 20);
}

/** Bends peaks towards full scale instead of cutting them off. In place. */
function limited(samples: Float32Array): Float32Array {
  for (let index = 0; index < samples.length; index += 1) {
    const sample = samples[index] ?? 0;
    const over = Math.abs(sample) - knee;
    if (over > 0) samples[index] = Math.sign(sample) * (knee + (ceiling - knee) * Math.tanh(over / (ceiling - knee)));
  }
  return samples;
}

interface Cut {
  /** Samples; may lie outside of what there is: silence. */
  readonly from: number;
  readonly to: number;
  /** Silence from here on. */
  readonly kept: number;
  /** Length of the slope at both ends of what is kept, samples. */
  readonly fade: number;
  readonly gain: number;
}

function cut(samples: Int16Array, { from, to, kept, fade, gain }: Cut): Float32Array {
  const start = Math.max(0, from);
  const end = Math.min(samples.length, kept, to);
  const result = new Float32Array(to - from);
  for (let index = start; index < end; index += 1) {
    const slope = Math.min(1, (index - start) / fade, (end - index) / fade);
    result[index - from] = (samples[index] ?? 0) * gain * slope;
  }
  return result;
}

function inSamples(ms: number, rate: number): number {
  return Math.round((ms * rate) / 1000);
}

/** Without the silence at the ends, and with exactly what there is now. */
function withSilence(visemes: readonly TimedViseme[], durationMs: number): readonly TimedViseme[] {
  const isShown = ({ viseme }: TimedViseme) => viseme !== 'sil';
  const shown = visemes.slice(visemes.findIndex(isShown), visemes.findLastIndex(isShown) + 1);
  const first = shown.at(0)?.startMs ?? durationMs;
  const last = shown.at(-1)?.endMs ?? durationMs;
  const silence = (startMs: number, endMs: number): readonly TimedViseme[] => (endMs > startMs ? [{ viseme: 'sil', startMs, endMs }] : []);
  return [...silence(0, first), ...shown, ...silence(last, durationMs)];
}

function clamp(ms: number, mostMs: number): number {
  return Math.min(mostMs, Math.max(0, ms));
}
