/* Where MuseTalk puts its face: musetalk/utils/preprocessing.py and blending.py upstream. */

/** Pixels; `right` and `bottom` lie just outside. */
export interface PixelBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface FaceBoxOptions {
  /** 68 points in the order of iBUG, px. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** px */
  readonly frame: { readonly width: number; readonly height: number };
  /** Weights of version 1.0 only, px: more opens the mouth more. Default 0. */
  readonly shift?: number;
  /** Below the chin, px: 10 for weights of version 1.5, which is the default; 0 for 1.0. */
  readonly chinMargin?: number;
  /** What a detector says, for when the points make no box. */
  readonly detected?: PixelBox;
}

const pointsOfFace = 68;
/** The lower bridge of the nose: half-way between the top of the box and the chin. */
const middlePoint = 29;

/** Null: there is no usable face in this frame. Beyond the frame's edges the box is cut; upstream cuts only its picture. */
export function faceBox({ points, frame, shift = 0, chinMargin = 10, detected }: FaceBoxOptions): PixelBox | null {
  const box = boxOfPoints(points, shift) ?? detected;
  if (box === undefined) return null;
  const inside = {
    left: Math.max(0, box.left),
    top: Math.max(0, box.top),
    right: Math.min(frame.width, box.right),
    bottom: Math.min(frame.height, box.bottom + chinMargin),
  };
  return inside.right > inside.left && inside.bottom > inside.top ? inside : null;
}

function boxOfPoints(points: FaceBoxOptions['points'], shift: number): PixelBox | undefined {
  const middle = points[middlePoint];
  if (points.length !== pointsOfFace || middle === undefined) return undefined;
  const columns = points.map(({ x }) => Math.trunc(x));
  const bottom = Math.max(...points.map(({ y }) => Math.trunc(y)));
  const half = Math.trunc(middle.y) + shift;
  const box = { left: Math.min(...columns), top: Math.max(0, half - (bottom - half)), right: Math.max(...columns), bottom };
  // A comparison with NaN is false: points that are no numbers make no box.
  return box.left >= 0 && box.right > box.left && box.bottom > box.top ? box : undefined;
}

/** The square around the box within which parsing and blending happen; it may reach beyond the frame. */
export function blendSquare({ left, top, right, bottom }: PixelBox): PixelBox {
  const half = Math.trunc(Math.floor(Math.max(right - left, bottom - top) / 2) * 1.5);
  const x = Math.floor((left + right) / 2);
  const y = Math.floor((top + bottom) / 2);
  return { left: x - half, top: y - half, right: x + half, bottom: y + half };
}
