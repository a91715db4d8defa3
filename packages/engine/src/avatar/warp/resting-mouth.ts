/*
 * What a face's mouth and jaw measure while its lips are closed, in mouth coordinates (see `head-pose.ts`).
 */
export interface RestingMouth {
  /** Height of the line between the lips at `columnOf(u)`. */
  readonly seam: Float32Array;
  /** Thickness of the lips in the middle. */
  readonly upperLip: number;
  readonly lowerLip: number;
  /** From the seam up to where nothing moves: just under the nose. */
  readonly above: number;
  /** Height of the chin's lower edge. */
  readonly chin: number;
  /** Nothing moves below this. */
  readonly bottom: number;
  /** Nor further than this from the middle. */
  readonly side: number;
}

/** Farthest from the middle that a column is kept for. */
const columnsReach = 2.6;
export const columnCount = 1024;
const columnsPerUnit = columnCount / (2 * columnsReach);

/** Which column is at `u`; the last one beyond `columnsReach`, where nothing moves. */
export function columnOf(u: number): number {
  return Math.min(columnCount - 1, Math.max(0, Math.floor((u + columnsReach) * columnsPerUnit)));
}

/** The middle of a column. */
export function uOf(column: number): number {
  return (column + 0.5) / columnsPerUnit - columnsReach;
}

/** 0 below 0, 1 above 1, smooth between. */
export function ease(x: number): number {
  const share = Math.min(1, Math.max(0, x));
  return share * share * (3 - 2 * share);
}

/** `face`: 68 landmarks in mouth coordinates. */
export function restingMouth(face: Float32Array): RestingMouth {
  const u = (point: number) => face[2 * point] ?? 0;
  const v = (point: number) => face[2 * point + 1] ?? 0;
  const middle = (upper: number, lower: number) => ({ u: (u(upper) + u(lower)) / 2, v: (v(upper) + v(lower)) / 2 });
  const line = [{ u: u(48), v: v(48) }, middle(61, 67), middle(62, 66), middle(63, 65), { u: u(54), v: v(54) }];
  const height = line[2]?.v ?? 0;
  const lowerLip = between(v(57) - height, 0.12, 0.8);
  const chin = between(v(8), height + lowerLip + 0.6, height + 4);
  // The least of each leaves a wide mouth the room to open without folding the skin.
  return {
    seam: smooth(Float32Array.from({ length: columnCount }, (_, column) => heightOf(line, uOf(column)))),
    upperLip: between(height - v(51), 0.08, 0.6),
    lowerLip,
    above: between(0.95 * (height - v(33)), 0.55, 1.6),
    chin,
    bottom: chin + 1.1,
    side: between((u(12) - u(4)) / 2, 1.5, columnsReach - 0.05),
  };
}

/** On the polyline through points in order of `u`; level beyond its ends. */
function heightOf(line: readonly { readonly u: number; readonly v: number }[], u: number): number {
  let before = line[0] ?? { u, v: 0 };
  for (const point of line) {
    if (u < point.u) {
      const span = point.u - before.u;
      return span > 0 ? before.v + ((u - before.u) / span) * (point.v - before.v) : point.v;
    }
    before = point;
  }
  return before.v;
}

/** Mean over a sixth of a unit on both sides: no corners in a lip. */
function smooth(values: Float32Array): Float32Array {
  const reach = Math.round(columnsPerUnit / 6);
  return values.map((_, i) => {
    const part = values.subarray(Math.max(0, i - reach), i + reach + 1);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}

function between(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
