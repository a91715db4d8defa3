import type { Lips } from '../lips.ts';
import { columnCount, ease, type RestingMouth, uOf } from './resting-mouth.ts';

/*
 * How a mouth moves the face around it: for every place of the new picture, where in the filmed one it came from
 * (inverse mapping: Wolberg, Digital Image Warping, 1990), in mouth coordinates. Each displacement is a smooth bump of
 * bounded reach, as in Fornefett, Rohr and Stiehl (2001, elastic registration by radial functions with compact support):
 * 0 with slope 0 at the region's edge, so there is no seam, and flat enough to fold nothing. The one discontinuity
 * is the line between the lips, which opens.
 */

/** By column (`columnOf`), for one mouth. */
export interface MouthField {
  /** Edges of the opening; the same height where there is none. */
  readonly top: Float32Array;
  readonly bottom: Float32Array;
  /** How far these edges moved from the seam, down is positive. */
  readonly topMoved: Float32Array;
  readonly bottomMoved: Float32Array;
  /** How far the chin moved. */
  readonly jaw: Float32Array;
  /** Source less place, sideways, at the height of the lips. */
  readonly sideways: Float32Array;
  /** How much thinner the lips are here: 0.5 shows half of a lip's height more in the same place. */
  readonly thinUpper: Float32Array;
  readonly thinLower: Float32Array;
  /** How much of a lip, next to the seam, is rolled in: the dark line of closed lips does not show on parted ones. */
  readonly rolled: Float32Array;
  /** From the middle to a corner of the opening. */
  readonly halfWidth: number;
  /** How far the chin moved in the middle. */
  readonly drop: number;
  /** Height of the opening in the middle. */
  readonly open: number;
}

/** The drawn tutors' lips are made for a mouth of this half width, px; and open wider than a filmed one can. */
const drawnHalfWidthPx = 33;
const openScale = 0.66 / drawnHalfWidthPx;
const jawScale = 0.7 / drawnHalfWidthPx;
const widthScale = 0.6;
const cornerScale = 0.06;
/** Half the thickness of the line between closed lips. */
const seamThickness = 0.055;

export function createMouthField(): MouthField & { halfWidth: number; drop: number; open: number } {
  const columns = () => new Float32Array(columnCount);
  return {
    top: columns(),
    bottom: columns(),
    topMoved: columns(),
    bottomMoved: columns(),
    jaw: columns(),
    sideways: columns(),
    thinUpper: columns(),
    thinLower: columns(),
    rolled: columns(),
    halfWidth: 1,
    drop: 0,
    open: 0,
  };
}

/** Fills `field` with the mouth of these lips. */
export function shapeMouth(field: ReturnType<typeof createMouthField>, lips: Lips, rest: RestingMouth): void {
  const wide = 1 + (lips.halfWidth / drawnHalfWidthPx - 1) * widthScale;
  const open = Math.max(0, lips.gap - 2 * lips.tuck) * openScale;
  const raised = open * (0.28 + 0.72 * lips.tuck);
  const lowered = open - raised;
  const drop = lips.jaw * jawScale;
  field.halfWidth = wide * 0.94;
  field.drop = drop;
  field.open = open;
  // A pucker makes a ring, a spread mouth a lens.
  const upperRoundness = 1 - 0.45 * lips.pucker;
  const lowerRoundness = 0.85 - 0.3 * lips.pucker;
  for (let column = 0; column < columnCount; column += 1) {
    const u = uOf(column);
    const far = Math.abs(u);
    const beyond = Math.min(1, Math.max(0, (far - wide) / (rest.side - wide)));
    const fade = 1 - ease(beyond);
    const bulge = far < wide ? Math.sin((Math.PI / 2) * (far / wide)) : fade;
    const sideways = Math.sign(u) * (1 - wide) * bulge;
    const inner = Math.max(0, 1 - (u / field.halfWidth) ** 2);
    const corner = (0.3 * drop + (1 - lips.smile) * cornerScale) * fade * Math.min(1, far / wide);
    const up = corner * (1 - inner) - raised * inner ** upperRoundness;
    const down = corner * (1 - inner) + lowered * inner ** lowerRoundness;
    const parted = Math.max(0, down - up);
    const seam = heightAt(rest.seam, u + sideways);
    field.sideways[column] = sideways;
    field.topMoved[column] = up;
    field.bottomMoved[column] = up + parted;
    field.top[column] = seam + up;
    field.bottom[column] = seam + up + parted;
    field.rolled[column] = seamThickness * ease(parted / (2 * seamThickness));
    field.jaw[column] = drop * (1 - ease((far - 0.4) / (rest.side - 0.4)));
    field.thinUpper[column] = (0.6 * lips.press - 0.4 * lips.pucker) * fade;
    field.thinLower[column] = (0.6 * lips.press - 0.4 * lips.pucker + 0.8 * lips.tuck) * fade;
  }
}

function heightAt(seam: Float32Array, u: number): number {
  const place = Math.min(columnCount - 1, Math.max(0, (u - uOf(0)) / (uOf(1) - uOf(0))));
  const before = Math.floor(place);
  const here = seam[before] ?? 0;
  return here + (place - before) * ((seam[before + 1] ?? here) - here);
}

/** Where a place came from; one object for all, as a picture asks for 50,000. */
export interface Source {
  u: number;
  v: number;
}

/** Sets `source` to where (u, v) in `column` came from. Inside the opening that is the nearer lip's edge. */
export function trace(source: Source, place: { readonly u: number; readonly v: number; readonly column: number }, face: Face): void {
  const { field, rest } = face;
  const { column, v } = place;
  const top = field.top[column] ?? 0;
  const bottom = field.bottom[column] ?? 0;
  const isUpper = v < (top + bottom) / 2;
  const edge = isUpper ? top : bottom;
  const moved = (isUpper ? field.topMoved[column] : field.bottomMoved[column]) ?? 0;
  const seam = edge - moved;
  // Distance from the lip's edge, away from the opening.
  const distance = Math.max(0, isUpper ? edge - v : v - edge);
  const lip = isUpper ? rest.upperLip : rest.lowerLip;
  const thin = (isUpper ? field.thinUpper[column] : field.thinLower[column]) ?? 0;
  const within = Math.max(0, 1 - distance / (2.2 * lip));
  const extra = (thin * distance + (field.rolled[column] ?? 0)) * within * within;
  const sideways = field.sideways[column] ?? 0;
  if (isUpper) {
    const share = 1 - ease(distance / (rest.above + moved));
    source.v = seam + moved - distance - moved * share - extra;
    source.u = place.u + sideways * (1 - ease((distance - lip) / Math.max(0.2, rest.above - lip)));
    return;
  }
  const jaw = field.jaw[column] ?? 0;
  const chin = rest.chin + jaw;
  const lipEnd = edge + 0.6 * lip;
  const height = edge + distance;
  const towardsChin = ease((height - lipEnd) / Math.max(0.2, chin - lipEnd));
  const fading = 1 - ease((height - chin) / (rest.bottom - chin));
  source.v = height - (moved + (jaw - moved) * towardsChin) * fading + extra;
  source.u = place.u + sideways * (1 - ease((distance - 1.2 * lip) / Math.max(0.4, chin - edge - 1.2 * lip)));
}

/** A face's measures, and the mouth it makes now. */
export interface Face {
  readonly field: MouthField;
  readonly rest: RestingMouth;
}
