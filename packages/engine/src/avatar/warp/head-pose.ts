import { type FilmedFace, FilmedFaceRefused, landmarkCount } from './filmed-face.ts';

/*
 * Mouth coordinates: the origin is the middle of the lips, u runs to the corner on the picture's right, v down, and a
 * corner is one unit from the middle. They move with the head, so a mouth that is still in them is still in the face.
 */

/** Where mouth coordinates are in one frame: `x + xu * u + xv * v`, `y + yu * u + yv * v`, px. */
export interface HeadPose {
  readonly x: number;
  readonly y: number;
  readonly xu: number;
  readonly xv: number;
  readonly yu: number;
  readonly yv: number;
}

export interface TrackedHead {
  /** One for each frame. */
  readonly poses: readonly HeadPose[];
  /** The 68 landmarks in mouth coordinates, mean of all frames: what a detector gets wrong from frame to frame averages out. */
  readonly face: Float32Array;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const mouthPoints: readonly number[] = Array.from({ length: 20 }, (_, i) => 48 + i);
/** Corners of the mouth, on the picture's left and right. */
const corners = { left: 48, right: 54 };
const noseTip = 33;
const chin = 8;
/** A mouth narrower than this from its middle to a corner has too few pixels to move, px. */
const leastHalfWidthPx = 4;

/** Throws `FilmedFaceRefused`. */
export function trackHead({ size, landmarks }: FilmedFace): TrackedHead {
  const [first] = landmarks;
  if (first === undefined) throw new FilmedFaceRefused('landmarks_malformed', 'There is no frame; build the avatar again.');
  let face = inMouthCoordinates(first, plausible(uprightPose(first), size));
  // Fitted to the first frame's face, then to the mean face.
  for (let round = 0; round < 2; round += 1) {
    const seen = landmarks.map((points) => inMouthCoordinates(points, fit(face, points, size)));
    face = first.map((_, i) => seen.reduce((sum, points) => sum + at(points, i), 0) / seen.length);
  }
  face = inMouthCoordinates(face, uprightPose(face));
  if (!(at(face, 2 * noseTip + 1) < 0 && at(face, 2 * chin + 1) > 0)) throw noFace();
  return { poses: steady(landmarks.map((points) => fit(face, points, size))), face };
}

/** Where a point of mouth coordinates is in the picture, px. */
export function inPicture(pose: HeadPose, u: number, v: number): Point {
  return { x: pose.x + pose.xu * u + pose.xv * v, y: pose.y + pose.yu * u + pose.yv * v };
}

/** Mouth coordinates by the corners of the mouth alone. */
function uprightPose(points: Float32Array): HeadPose {
  const { x, y } = mouthMiddle(points);
  const left = point(points, corners.left);
  const right = point(points, corners.right);
  const [cos, sin] = [(right.x - left.x) / 2, (right.y - left.y) / 2];
  return { x, y, xu: cos, xv: -sin, yu: sin, yv: cos };
}

/**
 * Least squares over all points, so that one that is off hardly turns the head; the middle of the mouth stays where the
 * mouth's own points are. Affine: a head that turns or nods a little looks narrower or shorter.
 */
function fit(face: Float32Array, points: Float32Array, size: number): HeadPose {
  const from = mouthMiddle(face);
  const to = mouthMiddle(points);
  let [uu, uv, vv, xu, xv, yu, yv] = [0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < landmarkCount; i += 1) {
    const u = at(face, 2 * i) - from.x;
    const v = at(face, 2 * i + 1) - from.y;
    const x = at(points, 2 * i) - to.x;
    const y = at(points, 2 * i + 1) - to.y;
    uu += u * u;
    uv += u * v;
    vv += v * v;
    xu += x * u;
    xv += x * v;
    yu += y * u;
    yv += y * v;
  }
  const det = uu * vv - uv * uv;
  const turned = {
    xu: (xu * vv - xv * uv) / det,
    xv: (xv * uu - xu * uv) / det,
    yu: (yu * vv - yv * uv) / det,
    yv: (yv * uu - yu * uv) / det,
  };
  const origin = inPicture({ ...turned, x: to.x, y: to.y }, -from.x, -from.y);
  return plausible({ ...turned, ...origin }, size);
}

/** Throws `FilmedFaceRefused` unless the face is upright enough, wide enough and not stretched into a line. */
function plausible(pose: HeadPose, size: number): HeadPose {
  const wide = Math.hypot(pose.xu, pose.yu);
  const high = Math.hypot(pose.xv, pose.yv);
  const area = pose.xu * pose.yv - pose.xv * pose.yu;
  const near = Math.hypot(pose.x, pose.y) <= 100 * size;
  const large = wide >= leastHalfWidthPx && high >= leastHalfWidthPx && wide <= size && high <= size;
  const fits = near && large && area >= 0.25 * wide * high;
  if (!fits) throw noFace();
  return pose;
}

function noFace(): FilmedFaceRefused {
  return new FilmedFaceRefused('landmarks_degenerate', 'The landmarks are no face; use a clip with the whole face, seen from the front.');
}

/** Savitzky and Golay (1964), five points: keeps a nod of 2 Hz to within 1 % and takes 30 % of a detector's jitter away. */
const steadying = [-3 / 35, 12 / 35, 17 / 35, 12 / 35, -3 / 35];

/** Over both neighbours on each side, which a loop always has; symmetric, so the mouth does not lag. */
function steady(poses: readonly HeadPose[]): HeadPose[] {
  return poses.map((_, i) => {
    const mean = (part: keyof HeadPose) =>
      steadying.reduce((sum, weight, k) => sum + weight * (poses[(i + k - 2 + 2 * poses.length) % poses.length]?.[part] ?? 0), 0);
    return { x: mean('x'), y: mean('y'), xu: mean('xu'), xv: mean('xv'), yu: mean('yu'), yv: mean('yv') };
  });
}

function inMouthCoordinates(points: Float32Array, { x, y, xu, xv, yu, yv }: HeadPose): Float32Array {
  const det = xu * yv - xv * yu;
  return points.map((value, i) => {
    const [dx, dy] = i % 2 === 0 ? [value - x, at(points, i + 1) - y] : [at(points, i - 1) - x, value - y];
    return i % 2 === 0 ? (dx * yv - dy * xv) / det : (dy * xu - dx * yu) / det;
  });
}

function mouthMiddle(points: Float32Array): Point {
  const mean = (axis: number) => mouthPoints.reduce((sum, i) => sum + at(points, 2 * i + axis), 0) / mouthPoints.length;
  return { x: mean(0), y: mean(1) };
}

function point(points: Float32Array, index: number): Point {
  return { x: at(points, 2 * index), y: at(points, 2 * index + 1) };
}

function at(points: Float32Array, index: number): number {
  return points[index] ?? 0;
}
