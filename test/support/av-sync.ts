import { lipsFor } from '../../packages/engine/src/avatar/lips.ts';
import { mouthAt } from '../../packages/engine/src/avatar/mouth.ts';
import { playoutRate, type Speech, type TimedViseme, type Viseme } from '../../packages/engine/src/media/ports.ts';

/* How well lips and voice fit each other, from what a browser showed and played. Pure. */

/** Something measured, at a time of one clock, ms. */
export interface Point {
  readonly atMs: number;
  readonly value: number;
}

/** Something expected, ms after the sentence began. */
export type Curve = (atMs: number) => number;

/** How open a mouth is for each sound, 0 to 1: phonetics, not this product's drawings. */
const openness: Readonly<Record<Viseme, number>> = {
  sil: 0,
  PP: 0,
  FF: 0.1,
  TH: 0.25,
  DD: 0.25,
  kk: 0.4,
  CH: 0.3,
  SS: 0.2,
  nn: 0.25,
  RR: 0.3,
  aa: 1,
  E: 0.65,
  I: 0.4,
  O: 0.75,
  U: 0.3,
};
/** Nothing made of flesh moves faster, ms. */
const muscleMs = 100;
/** Loudness is measured over so much sound, ms. */
const loudnessMs = 5;

/** What the phones ask of a mouth: their openness, over the time that muscles take. */
export function openingOfPhones(visemes: readonly TimedViseme[]): Curve {
  return (atMs) => {
    const [from, to] = [atMs - muscleMs / 2, atMs + muscleMs / 2];
    const share = ({ viseme, startMs, endMs }: TimedViseme) =>
      openness[viseme] * Math.max(0, Math.min(to, endMs) - Math.max(from, startMs));
    return visemes.reduce((sum, timed) => sum + share(timed), 0) / muscleMs;
  };
}

/** What this product's drawn mouth means to show: it leads the sound by some 45 ms, as mouths do. */
export function openingAsDrawn(visemes: readonly TimedViseme[]): Curve {
  return (atMs) => {
    const { gap, halfWidth } = lipsFor(mouthAt(visemes, atMs));
    return gap * halfWidth;
  };
}

/** Compressed as ears do; so a quiet consonant counts beside a loud vowel. */
export function loudness(power: number): number {
  return power ** 0.25;
}

export function loudnessOf({ samples }: Pick<Speech, 'samples'>): Curve {
  const window = (playoutRate * loudnessMs) / 1_000;
  const levels = Array.from({ length: Math.ceil(samples.length / window) }, (_, index) => {
    const part = samples.subarray(index * window, (index + 1) * window);
    return loudness(part.reduce((sum, sample) => sum + (sample / 32_768) ** 2, 0) / window);
  });
  return (atMs) => {
    const at = atMs / loudnessMs;
    const index = Math.floor(at);
    const [here, next] = [levels[index] ?? 0, levels[index + 1] ?? 0];
    return here + (next - here) * (at - index);
  };
}

/** Pearson's; 0 where one of the two does not change. */
export function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (all: readonly number[]) => all.reduce((sum, value) => sum + value, 0) / all.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (const [index, value] of a.entries()) {
    const [x, y] = [value - meanA, (b[index] ?? 0) - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}

export interface Lag {
  /** What was measured fits what was expected this much later, ms. */
  readonly lagMs: number;
  /** How well, -1 to 1. */
  readonly fit: number;
}

export interface LagSearch {
  /** Where to look, ms. */
  readonly fromMs: number;
  readonly toMs: number;
  /** ms. */
  readonly stepMs: number;
}

/** When `points` fit `curve` best. Null: there is nothing to compare, or nothing that changes. */
export function lagOf(points: readonly Point[], curve: Curve, { fromMs, toMs, stepMs }: LagSearch): Lag | null {
  if (points.length < 8) return null;
  const values = points.map(({ value }) => value);
  const fits: number[] = [];
  for (let lagMs = fromMs; lagMs <= toMs; lagMs += stepMs) {
    fits.push(
      correlation(
        values,
        points.map(({ atMs }) => curve(atMs - lagMs)),
      ),
    );
  }
  const best = fits.reduce((most, fit, index) => (fit > (fits[most] ?? 0) ? index : most), 0);
  const fit = fits[best] ?? 0;
  if (fit <= 0) return null;
  return { lagMs: fromMs + (best + peakBetween(fits, best)) * stepMs, fit };
}

/** Where the top of a parabola through the best step and its neighbours lies, -0.5 to 0.5 steps. */
function peakBetween(fits: readonly number[], best: number): number {
  const [before, top, after] = [fits[best - 1], fits[best], fits[best + 1]];
  if (before === undefined || top === undefined || after === undefined) return 0;
  const bend = before - 2 * top + after;
  return bend === 0 ? 0 : Math.max(-0.5, Math.min(0.5, (before - after) / (2 * bend)));
}

/** A sentence as the browser got it. */
export interface ReceivedSentence {
  /** Shown pictures: when, and how open the mouth was. */
  readonly openings: readonly Point[];
  /** Played sound: when, and its loudness. */
  readonly levels: readonly Point[];
  readonly speech: Pick<Speech, 'samples' | 'visemes'>;
  /** About when it began, on the same clock, ms. */
  readonly aboutMs: number;
}

export interface SentenceSync {
  /** When its sound began, ms. */
  readonly beganMs: number;
  /** How well the played sound fits the sentence. */
  readonly soundFit: number;
  /** Best correlation of the shown mouth with the phones as they were heard, with a lag that people accept. */
  readonly mouthCorrelation: number;
  /** One for each second of speech: how much later the picture came than the sound; above 0 the sound leads, ms. */
  readonly offsets: readonly WindowOffset[];
}

export interface WindowOffset {
  /** Middle of the window on the clock of the points, ms. */
  readonly atMs: number;
  readonly offsetMs: number;
  /** How well the mouth fits there. */
  readonly fit: number;
}

/** A picture that comes this much later than its sound (earlier, below 0) disturbs nobody, ms: after ITU-R BT.1359. */
export const accepted = { fromMs: -100, toMs: 45 };
/** A sentence is looked for from so much before it is said to begin, and until so much later, ms. */
const earlyMs = 800;
const lateMs = 2_500;
const windowMs = 2_000;
const hopMs = 1_000;
/** A window whose mouth fits worse says nothing about time. */
const leastFit = 0.6;

/** Null: the sentence was not heard. */
export function syncOf({ openings, levels, speech, aboutMs }: ReceivedSentence): SentenceSync | null {
  const durationMs = (speech.samples.length / playoutRate) * 1_000;
  const sound = loudnessOf(speech);
  const beganAboutMs = searchSound({ levels, sound, durationMs, aboutMs });
  const own = between(levels, beganAboutMs, beganAboutMs + durationMs);
  const fine = lagOf(own, sound, { fromMs: beganAboutMs - 20, toMs: beganAboutMs + 20, stepMs: 2 });
  if (fine === null || fine.fit < 0.5) return null;
  const beganMs = fine.lagMs;
  const seen = between(openings, beganMs, beganMs + durationMs);
  const phones = openingOfPhones(speech.visemes);
  const drawn = openingAsDrawn(speech.visemes);
  const offsets: WindowOffset[] = [];
  for (let fromMs = 0; fromMs + windowMs <= Math.max(durationMs, windowMs); fromMs += hopMs) {
    const [start, end] = [beganMs + fromMs, beganMs + fromMs + windowMs];
    const audio = lagOf(between(levels, start, end), sound, { fromMs: beganMs - 150, toMs: beganMs + 150, stepMs: 5 });
    const video = lagOf(between(openings, start, end), drawn, { fromMs: beganMs - 300, toMs: beganMs + 300, stepMs: 5 });
    if (audio === null || video === null || video.fit < leastFit) continue;
    offsets.push({ atMs: (start + end) / 2, offsetMs: video.lagMs - audio.lagMs, fit: video.fit });
  }
  return {
    beganMs,
    soundFit: fine.fit,
    mouthCorrelation: lagOf(seen, phones, { fromMs: beganMs + accepted.fromMs, toMs: beganMs + accepted.toMs, stepMs: 5 })?.fit ?? 0,
    offsets,
  };
}

/** Where a sentence of this length fits best, to some 10 ms. */
function searchSound(search: {
  readonly levels: readonly Point[];
  readonly sound: Curve;
  readonly durationMs: number;
  readonly aboutMs: number;
}): number {
  const { levels, sound, durationMs, aboutMs } = search;
  const near = between(levels, aboutMs - earlyMs, aboutMs + durationMs + lateMs);
  let best = { fit: 0, beganMs: aboutMs };
  for (let beganMs = aboutMs - earlyMs; beganMs <= aboutMs + lateMs; beganMs += 10) {
    const own = between(near, beganMs, beganMs + durationMs);
    const fit = correlation(
      own.map(({ value }) => value),
      own.map(({ atMs }) => sound(atMs - beganMs)),
    );
    if (own.length > 20 && fit > best.fit) best = { fit, beganMs };
  }
  return best.beganMs;
}

function between(points: readonly Point[], fromMs: number, toMs: number): readonly Point[] {
  return points.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
}

/** Pictures shown in each whole second. */
export function framesPerSecondOf(openings: readonly Point[]): readonly number[] {
  const [first, last] = [openings[0]?.atMs ?? 0, openings.at(-1)?.atMs ?? 0];
  const counts = Array.from({ length: Math.floor((last - first) / 1_000) }, () => 0);
  for (const { atMs } of openings) {
    const second = Math.floor((atMs - first) / 1_000);
    if (second < counts.length) counts[second] = (counts[second] ?? 0) + 1;
  }
  return counts;
}

/** The longest time that one picture stood, ms. */
export function longestFreeze(openings: readonly Point[]): number {
  return openings.reduce((most, { atMs }, index) => Math.max(most, atMs - (openings[index - 1]?.atMs ?? atMs)), 0);
}

/** The value that this share of all lie below; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
