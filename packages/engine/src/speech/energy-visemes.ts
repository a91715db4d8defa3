import type { TimedViseme, Viseme } from '../media/ports.ts';
import { settle } from './visemes.ts';
import type { TimeRange } from './word-times.ts';

/* What can be seen in a voice alone, where nobody tells its phones: how far the mouth is open. */

const stepMs = 20;
/** From this level below the loudest step on, dB, the mouth shows this. */
const openings: readonly (readonly [aboveDb: number, viseme: Viseme])[] = [
  [-9, 'aa'],
  [-18, 'E'],
  [-30, 'I'],
];

export function energyVisemes(samples: Int16Array, rate: number): readonly TimedViseme[] {
  const levels = stepLevels(samples, rate);
  const loudest = Math.max(...levels, 1);
  const steps = levels.map((level, index): TimedViseme => {
    const db = 20 * Math.log10(level / loudest);
    const viseme = openings.find(([aboveDb]) => db >= aboveDb)?.[1] ?? 'sil';
    return { viseme, startMs: index * stepMs, endMs: Math.min((index + 1) * stepMs, (samples.length * 1000) / rate) };
  });
  return settle(steps);
}

/** When there is a voice, without pauses of more than a stop consonant's closure. */
export function voicedRanges(samples: Int16Array, rate: number): readonly TimeRange[] {
  const levels = stepLevels(samples, rate);
  const loudest = Math.max(...levels, 1);
  const ranges: { startMs: number; endMs: number }[] = [];
  for (const [index, level] of levels.entries()) {
    if (level < loudest / 50) continue;
    const last = ranges.at(-1);
    const startMs = index * stepMs;
    if (last !== undefined && startMs - last.endMs < 120) last.endMs = startMs + stepMs;
    else ranges.push({ startMs, endMs: startMs + stepMs });
  }
  return ranges;
}

function stepLevels(samples: Int16Array, rate: number): readonly number[] {
  const length = Math.round((rate * stepMs) / 1000);
  return Array.from({ length: Math.ceil(samples.length / length) }, (_, step) => {
    const part = samples.subarray(step * length, (step + 1) * length);
    return Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / part.length);
  });
}
