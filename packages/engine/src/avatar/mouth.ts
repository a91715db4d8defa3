import type { MouthShape, TimedViseme, Viseme } from '../media/ports.ts';

/*
 * Coarticulation after Cohen and Massaro (1993): every sound pulls the mouth towards its own shape for a while before
 * and after it is heard, the stronger ones harder, and the mouth shows the weighted mean. Two exceptions keep sync
 * believable: the mouth leads the sound, and lips that must close do close.
 */

/** The mouth shows a sound this long before it is heard, ms: people form a sound before they make it. */
const leadMs = 45;
/** A shape held for less cannot be seen at 25 fps, ms. */
const shortestMs = 60;
/** Lips stay fully closed at least this long, ms: longer than the 40 ms between two frames, so one frame shows it. */
const closureMs = 45;
/** How long lips take to close, and to open again, ms. */
const closingMs = 40;

interface Pull {
  /** Relative to other shapes. */
  readonly strength: number;
  /** Reach of the cross-fade with a neighbour, ms. */
  readonly fadeMs: number;
}

const vowel: Pull = { strength: 1, fadeMs: 100 };
const rounded: Pull = { strength: 1.3, fadeMs: 130 };
const tongue: Pull = { strength: 0.7, fadeMs: 70 };
const fricative: Pull = { strength: 1.1, fadeMs: 70 };
const closed: Pull = { strength: 1, fadeMs: closingMs };

const pulls: Readonly<Record<Viseme, Pull>> = {
  sil: { strength: 0.8, fadeMs: 100 },
  PP: closed,
  FF: closed,
  TH: fricative,
  DD: tongue,
  kk: tongue,
  CH: fricative,
  SS: fricative,
  nn: tongue,
  RR: { strength: 0.9, fadeMs: 80 },
  aa: vowel,
  E: vowel,
  I: vowel,
  O: rounded,
  U: rounded,
};

/** Closed, at ease. */
export const restMouth: MouthShape = shape((viseme) => (viseme === 'sil' ? 1 : 0));

/** The mouth `atMs` after the speech began. Before, after and between sounds it is at rest. */
export function mouthAt(timeline: readonly TimedViseme[], atMs: number): MouthShape {
  const open = new Map<Viseme, number>();
  const closures = new Map<Viseme, number>();
  let shut = 0;
  // Where no sound is fully there, the mouth is partly at rest.
  let rest = 1;
  for (const timed of timeline) {
    const isClosure = timed.viseme === 'PP' || timed.viseme === 'FF';
    const share = presence(timed, atMs, isClosure ? closureMs + closingMs : shortestMs);
    if (share === 0) continue;
    rest = Math.max(0, rest - share);
    if (isClosure) shut = Math.min(1, shut + share);
    const into = isClosure ? closures : open;
    into.set(timed.viseme, (into.get(timed.viseme) ?? 0) + share * pulls[timed.viseme].strength);
  }
  open.set('sil', (open.get('sil') ?? 0) + rest);
  const pulledOpen = total(open) || 1;
  const pulledShut = total(closures) || 1;
  return shape((viseme) => ((open.get(viseme) ?? 0) / pulledOpen) * (1 - shut) + ((closures.get(viseme) ?? 0) / pulledShut) * shut);
}

/** `share` 0 to 1 of the way from one shape to another. */
export function between(from: MouthShape, to: MouthShape, share: number): MouthShape {
  return shape((viseme) => from[viseme] * (1 - share) + to[viseme] * share);
}

/** How far this sound's shape is there, 0 to 1: a plateau with soft edges, `leadMs` early, at least `leastMs` long. */
function presence({ viseme, startMs, endMs }: TimedViseme, atMs: number, leastMs: number): number {
  const missing = Math.max(0, leastMs - (endMs - startMs)) / 2;
  const { fadeMs } = pulls[viseme];
  const sinceStart = atMs - (startMs - leadMs - missing);
  const untilEnd = endMs - leadMs + missing - atMs;
  return softStep(sinceStart / fadeMs + 0.5) * softStep(untilEnd / fadeMs + 0.5);
}

/** 0 below 0, 1 above 1, smooth between. */
function softStep(x: number): number {
  const share = Math.min(1, Math.max(0, x));
  return share * share * (3 - 2 * share);
}

function total(weights: ReadonlyMap<Viseme, number>): number {
  return [...weights.values()].reduce((sum, weight) => sum + weight, 0);
}

function shape(weight: (viseme: Viseme) => number): MouthShape {
  return {
    sil: weight('sil'),
    PP: weight('PP'),
    FF: weight('FF'),
    TH: weight('TH'),
    DD: weight('DD'),
    kk: weight('kk'),
    CH: weight('CH'),
    SS: weight('SS'),
    nn: weight('nn'),
    RR: weight('RR'),
    aa: weight('aa'),
    E: weight('E'),
    I: weight('I'),
    O: weight('O'),
    U: weight('U'),
  };
}
