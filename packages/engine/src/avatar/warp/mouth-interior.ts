import type { Lips } from '../lips.ts';
import type { Colour, Complexion } from './complexion.ts';
import type { MouthField } from './mouth-field.ts';
import { columnCount, columnOf, ease, type RestingMouth, uOf } from './resting-mouth.ts';

/*
 * What is seen between open lips. The upper teeth keep their place in the head, the lower ones go with the jaw, and the
 * lips uncover them; so teeth never slide about in the face.
 */

/** Edges of the upper teeth under the closed lips' line, and of the lower ones behind them, in mouth coordinates. */
const upperTeethBelow = 0.05;
const overbite = 0.02;
/** How much of the teeth the lips cover when they show them least. */
const hidden = 0.1;
/** Borders between upper teeth, from the middle: 8.5, 6.5 and 7 mm wide in a mouth of 50 mm, the outer ones seen from the side. */
const borders = [0, 0.33, 0.56, 0.75, 0.88];
const toothShade = toothShades();

/** Anatomy and light of one mouth shape; asked per pixel. */
export interface Interior {
  /** Into `colour`, the inside of the mouth at this place. `soft` is half a pixel. */
  paint(colour: { y: number; u: number; v: number }, place: Place): void;
}

interface Place {
  readonly u: number;
  readonly v: number;
  readonly column: number;
  readonly soft: number;
}

/** All that one mouth is drawn from. */
interface Mouth {
  readonly lips: Lips;
  readonly field: MouthField;
  readonly rest: RestingMouth;
  readonly complexion: Complexion;
}

export function createInterior({ lips, field, rest, complexion }: Mouth): Interior {
  const { halfWidth, open, drop } = field;
  const middle = rest.seam[columnOf(0)] ?? 0;
  const floor = middle + (field.bottomMoved[columnOf(0)] ?? 0);
  const tongueHeight = open * (0.2 + 0.5 * lips.tongue) * (1 - 0.4 * lips.pucker);
  const tipHeight = open * 0.72 * lips.tip;
  return {
    paint(colour, { u, v, column, soft }) {
      const top = field.top[column] ?? 0;
      const bottom = field.bottom[column] ?? 0;
      const across = Math.min(1, Math.abs(u) / halfWidth);
      const deep = 1 - 0.55 * across * across;
      const light = deep * (1 + complexion.slope * u);
      const depth = (v - top) / Math.max(0.05, bottom - top);
      set(colour, complexion.cavity, (0.75 + 0.5 * depth) * light);

      const tongueEdge = floor + 0.04 - tongueHeight * Math.sqrt(Math.max(0, 1 - (u / (0.68 * halfWidth)) ** 2));
      const onTongue = cover(v - tongueEdge, 0.03 + soft) * cover(0.66 * halfWidth - Math.abs(u), 0.05);
      const tongueLight = 0.55 + 0.3 * ease((v - tongueEdge) / 0.2);
      mix(colour, complexion.tongue, { share: onTongue, light: tongueLight * (1 + 0.3 * lips.tongue) * light });

      // Teeth stand in an arch: the outer ones are seen further up, and darker.
      const arch = u * u;
      const shade = (toothShade[column] ?? 1) * (0.35 + 0.65 * light);
      const lowerEdge = middle + drop + upperTeethBelow - overbite - 0.03 * arch + hidden * (1 - lips.lowerTeeth);
      const lower = cover(v - lowerEdge, soft) * cover(0.8 - Math.abs(u), 0.06) * Math.min(1, 3 * lips.lowerTeeth);
      mix(colour, complexion.teeth, { share: lower, light: 0.82 * shade * (1 - 0.3 * ease((v - lowerEdge) / 0.3)) });

      const upperEdge = Math.max(middle + upperTeethBelow, lips.tuck * (floor + 0.02)) - 0.13 * arch - hidden * (1 - lips.upperTeeth);
      const upper = cover(upperEdge - v, soft) * cover(0.92 - Math.abs(u), 0.06) * Math.min(1, 3 * lips.upperTeeth);
      const underLip = 0.82 + 0.18 * ease((v - top) / 0.08);
      mix(colour, complexion.teeth, { share: upper, light: shade * underLip });

      const tipEdge = floor + 0.02 - tipHeight * Math.sqrt(Math.max(0, 1 - (u / (0.5 * halfWidth)) ** 2));
      const onTip = cover(v - tipEdge, soft + 0.015) * cover(0.5 * halfWidth - Math.abs(u), 0.04) * Math.min(1, 1.5 * lips.tip);
      mix(colour, complexion.tongue, { share: onTip, light: 1.25 * light });
    },
  };
}

/** How much of a pixel is past an edge `distance` away, with an edge that is `soft` on either side. */
function cover(distance: number, soft: number): number {
  return ease(0.5 + distance / (2 * soft));
}

function set(colour: { y: number; u: number; v: number }, to: Colour, light: number): void {
  colour.y = 16 + (to.y - 16) * light;
  colour.u = to.u;
  colour.v = to.v;
}

function mix(
  colour: { y: number; u: number; v: number },
  to: Colour,
  { share, light }: { readonly share: number; readonly light: number },
): void {
  if (share <= 0) return;
  colour.y += share * (16 + (to.y - 16) * light - colour.y);
  colour.u += share * (to.u - colour.u);
  colour.v += share * (to.v - colour.v);
}

/** By column: a faint line between every two teeth, and each a little rounded. */
function toothShades(): Float32Array {
  return Float32Array.from({ length: columnCount }, (_, column) => {
    const far = Math.abs(uOf(column));
    const nearest = Math.min(...borders.map((border) => Math.abs(far - border)));
    return 0.86 + 0.14 * ease(nearest / 0.07);
  });
}
