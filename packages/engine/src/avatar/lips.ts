import { type MouthShape, type Viseme, visemes } from '../media/ports.ts';

/** What a mouth is drawn from. Lengths in px of a 512 px picture. */
export interface Lips {
  /** Gap between the lips. */
  readonly gap: number;
  /** From the middle to a corner. */
  readonly halfWidth: number;
  /** How far the chin drops. */
  readonly jaw: number;
  /** Pushed forward into a ring, 0 to 1. */
  readonly pucker: number;
  /** Pressed together, 0 to 1. */
  readonly press: number;
  /** Lower lip under the upper teeth, 0 to 1. */
  readonly tuck: number;
  /** How much of the upper and the lower teeth shows, 0 to 1. */
  readonly upperTeeth: number;
  readonly lowerTeeth: number;
  /** Height of the tongue in the mouth, 0 to 1. */
  readonly tongue: number;
  /** Its tip between the teeth, 0 to 1. */
  readonly tip: number;
  /** Corners up, 0 to 1. */
  readonly smile: number;
}

const relaxed: Lips = {
  gap: 0,
  halfWidth: 33,
  jaw: 0,
  pucker: 0,
  press: 0,
  tuck: 0,
  upperTeeth: 0,
  lowerTeeth: 0,
  tongue: 0,
  tip: 0,
  smile: 0.4,
};

const lipsOf: Readonly<Record<Viseme, Lips>> = {
  sil: { ...relaxed, smile: 1 },
  PP: { ...relaxed, halfWidth: 30, press: 1 },
  FF: { ...relaxed, gap: 8, jaw: 1, tuck: 1, upperTeeth: 1 },
  TH: { ...relaxed, gap: 11, halfWidth: 32, jaw: 4, upperTeeth: 0.7, tip: 1 },
  DD: { ...relaxed, gap: 10, halfWidth: 33, jaw: 3, upperTeeth: 1, lowerTeeth: 0.3, tongue: 0.9 },
  kk: { ...relaxed, gap: 16, halfWidth: 31, jaw: 7, upperTeeth: 0.5, tongue: 0.4 },
  CH: { ...relaxed, gap: 12, halfWidth: 22, jaw: 3, pucker: 0.65, upperTeeth: 1, lowerTeeth: 1 },
  SS: { ...relaxed, gap: 8, halfWidth: 37, jaw: 1, upperTeeth: 1, lowerTeeth: 1, smile: 0.7 },
  nn: { ...relaxed, gap: 8, halfWidth: 32, jaw: 3, upperTeeth: 0.6, tongue: 1 },
  RR: { ...relaxed, gap: 11, halfWidth: 25, jaw: 5, pucker: 0.4, upperTeeth: 0.4, tongue: 0.5 },
  aa: { ...relaxed, gap: 37, halfWidth: 35, jaw: 15, upperTeeth: 0.8, tongue: 0.3 },
  E: { ...relaxed, gap: 22, halfWidth: 39, jaw: 9, upperTeeth: 1, lowerTeeth: 0.3, tongue: 0.45, smile: 0.6 },
  I: { ...relaxed, gap: 13, halfWidth: 43, jaw: 4, upperTeeth: 1, lowerTeeth: 0.5, tongue: 0.5, smile: 0.9 },
  O: { ...relaxed, gap: 29, halfWidth: 23, jaw: 12, pucker: 0.8, tongue: 0.2 },
  U: { ...relaxed, gap: 12, halfWidth: 15, jaw: 5, pucker: 1 },
};

/** Lips of a mix of shapes. */
export function lipsFor(mouth: MouthShape): Lips {
  const mean = (part: keyof Lips) => visemes.reduce((sum, viseme) => sum + mouth[viseme] * lipsOf[viseme][part], 0);
  return {
    gap: mean('gap'),
    halfWidth: mean('halfWidth'),
    jaw: mean('jaw'),
    pucker: mean('pucker'),
    press: mean('press'),
    tuck: mean('tuck'),
    upperTeeth: mean('upperTeeth'),
    lowerTeeth: mean('lowerTeeth'),
    tongue: mean('tongue'),
    tip: mean('tip'),
    smile: mean('smile'),
  };
}
