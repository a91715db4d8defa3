/* What 68 landmarks (iBUG 300-W order, x and y in turn, px) say about a face in one frame. */

export interface FaceMeasure {
  /** Gap between the inner lips over the distance of the eyes. */
  readonly mouthOpening: number;
  /** 1 - (shorter / longer) way from the nose's tip to the jaw's edges; signed, positive when the tip is nearer to the right edge of the picture. */
  readonly yaw: number;
  /** rad, clockwise in the picture */
  readonly roll: number;
  /** Between the middles of the eyes, px. */
  readonly interOcularPx: number;
  /** Height over width of the eyes (Soukupova and Cech 2016, "eye aspect ratio"), mean of both. */
  readonly eyeOpenness: number;
  /** The middle between the eyes, px. */
  readonly x: number;
  readonly y: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const rightEye = 36;
const leftEye = 42;

/** Null where the points are not 68 finite ones or the eyes coincide. */
export function measureFace(landmarks: Float32Array): FaceMeasure | null {
  if (landmarks.length !== 136 || !landmarks.every(Number.isFinite)) return null;
  const at = (index: number): Point => ({ x: landmarks[2 * index] ?? 0, y: landmarks[2 * index + 1] ?? 0 });
  const [a, b] = [middle(at, rightEye), middle(at, leftEye)];
  const interOcularPx = distance(a, b);
  if (interOcularPx === 0) return null;
  const gap = [61, 62, 63].reduce((sum, upper) => sum + distance(at(upper), at(128 - upper)), 0) / 3;
  const [toRight, toLeft] = [distance(at(30), at(2)), distance(at(30), at(14))];
  return {
    mouthOpening: gap / interOcularPx,
    yaw: Math.sign(toRight - toLeft) * (1 - Math.min(toRight, toLeft) / Math.max(toRight, toLeft)),
    roll: Math.atan2(b.y - a.y, b.x - a.x),
    interOcularPx,
    eyeOpenness: (aspect(at, rightEye) + aspect(at, leftEye)) / 2,
    x: (a.x + b.x) / 2,
    y: (a.y + b.y) / 2,
  };
}

function middle(at: (index: number) => Point, first: number): Point {
  const points = Array.from({ length: 6 }, (_, i) => at(first + i));
  return { x: points.reduce((sum, { x }) => sum + x, 0) / 6, y: points.reduce((sum, { y }) => sum + y, 0) / 6 };
}

function aspect(at: (index: number) => Point, first: number): number {
  const height = distance(at(first + 1), at(first + 5)) + distance(at(first + 2), at(first + 4));
  const width = distance(at(first), at(first + 3));
  return width === 0 ? 0 : height / (2 * width);
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
