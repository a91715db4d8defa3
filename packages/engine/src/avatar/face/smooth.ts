/*
 * Landmarks of a clip without the finder's jitter, and without lag: every filter here is symmetric in time. Where the head is and what
 * shape the face has are smoothed apart, since they move at different speeds: a head nods at 2 Hz, a lid shuts within 100 ms, a jaw's
 * outline does not change while the lips are closed. Each filter is a binomial one run twice, the second time over what the first left
 * (Tukey 1977, "twicing"): flat for slow motion, which a single run would shrink.
 */

type Kernel = readonly number[];

/** A head that nods at 2 Hz keeps 97 %, at 3 Hz 88 %. */
const headKernel = twiced(6);
/** A blink of five frames keeps 92 % of its depth. */
const lidKernel = twiced(2);
/** Lips that open and close at 4 Hz keep 83 %. */
const mouthKernel = twiced(4);
const outlineKernel = twiced(24);

/** Brows, nose and the corners of the eyes: what neither a blink nor a word moves far. */
const rigidPoints: readonly number[] = [...Array.from({ length: 19 }, (_, i) => 17 + i), 36, 39, 42, 45];
/** Longer without a face is no slip of the finder, frames. */
const longestGap = 5;

/** Scale and turn (`x + cos * u - sin * v`, `y + sin * u + cos * v`), px. */
interface Pose {
  readonly x: number;
  readonly y: number;
  readonly cos: number;
  readonly sin: number;
}

/** As many as were given, each 136 numbers; none is changed. */
export function smoothLandmarks(track: readonly Float32Array[]): Float32Array[] {
  const [first] = track;
  if (first === undefined) return [];
  const middle = middleOf(first);
  let shape = first.map((px, i) => px - (i % 2 === 0 ? middle.x : middle.y));
  for (let round = 0; round < 2; round += 1) {
    const shapes = track.map((points) => withoutPose(points, poseOf(shape, points)));
    shape = shape.map((_, i) => shapes.reduce((sum, points) => sum + (points[i] ?? 0), 0) / shapes.length);
  }
  const poses = track.map((points) => poseOf(shape, points));
  const shapes = track.map((points, frame) => withoutPose(points, poses[frame] ?? unmoved));
  const steady = steadyPoses(poses);
  const calm = Array.from({ length: first.length }, (_, i) =>
    filtered(
      shapes.map((points) => points[i] ?? 0),
      kernelOf(i >> 1),
    ),
  );
  return track.map((points, frame) =>
    withPose(
      points.map((_, i) => calm[i]?.[frame] ?? 0),
      steady[frame] ?? unmoved,
    ),
  );
}

/** With nulls where there was no face: gaps of up to 5 frames are filled in, longer ones and those at the ends stay; each stretch by itself. */
export function smoothTrack(track: readonly (Float32Array | null)[]): (Float32Array | null)[] {
  const filled = withoutGaps(track);
  const result: (Float32Array | null)[] = [];
  let stretch: Float32Array[] = [];
  for (const points of [...filled, null]) {
    if (points !== null) {
      stretch.push(points);
      continue;
    }
    result.push(...smoothLandmarks(stretch), null);
    stretch = [];
  }
  return result.slice(0, -1);
}

function withoutGaps(track: readonly (Float32Array | null)[]): (Float32Array | null)[] {
  const filled = [...track];
  let last = -1;
  for (const [frame, points] of track.entries()) {
    if (points === null) continue;
    const before = track[last];
    const gap = frame - last - 1;
    if (before !== undefined && before !== null && gap <= longestGap) {
      for (let i = 1; i <= gap; i += 1) filled[last + i] = before.map((px, k) => px + (i / (gap + 1)) * ((points[k] ?? px) - px));
    }
    last = frame;
  }
  return filled;
}

function kernelOf(point: number): Kernel {
  if (point >= 48) return mouthKernel;
  return point >= 36 ? lidKernel : outlineKernel;
}

const unmoved: Pose = { x: 0, y: 0, cos: 1, sin: 0 };

function steadyPoses(poses: readonly Pose[]): Pose[] {
  const steady = (part: keyof Pose) =>
    filtered(
      poses.map((pose) => pose[part]),
      headKernel,
    );
  const [x, y, cos, sin] = [steady('x'), steady('y'), steady('cos'), steady('sin')];
  return poses.map((_, i) => ({ x: x[i] ?? 0, y: y[i] ?? 0, cos: cos[i] ?? 1, sin: sin[i] ?? 0 }));
}

/** Least squares over the rigid points, which `shape` has around its origin. */
function poseOf(shape: Float32Array, points: Float32Array): Pose {
  const [from, to] = [middleOf(shape), middleOf(points)];
  let [along, across, size] = [0, 0, 0];
  for (const i of rigidPoints) {
    const [u, v] = [(shape[2 * i] ?? 0) - from.x, (shape[2 * i + 1] ?? 0) - from.y];
    const [x, y] = [(points[2 * i] ?? 0) - to.x, (points[2 * i + 1] ?? 0) - to.y];
    along += u * x + v * y;
    across += u * y - v * x;
    size += u * u + v * v;
  }
  const [cos, sin] = size === 0 ? [1, 0] : [along / size, across / size];
  return { x: to.x - cos * from.x + sin * from.y, y: to.y - sin * from.x - cos * from.y, cos, sin };
}

function middleOf(points: Float32Array): { readonly x: number; readonly y: number } {
  const mean = (axis: number) => rigidPoints.reduce((sum, i) => sum + (points[2 * i + axis] ?? 0), 0) / rigidPoints.length;
  return { x: mean(0), y: mean(1) };
}

function withPose(shape: Float32Array, { x, y, cos, sin }: Pose): Float32Array {
  return shape.map((value, i) => (i % 2 === 0 ? x + cos * value - sin * (shape[i + 1] ?? 0) : y + sin * (shape[i - 1] ?? 0) + cos * value));
}

function withoutPose(points: Float32Array, { x, y, cos, sin }: Pose): Float32Array {
  const size = cos * cos + sin * sin;
  const back = size === 0 ? unmoved : { cos: cos / size, sin: -sin / size };
  return withPose(
    points.map((px, i) => px - (i % 2 === 0 ? x : y)),
    { x: 0, y: 0, ...back },
  );
}

/** Beyond its ends a track goes on as it came, turned about its last value. */
function filtered(values: readonly number[], kernel: Kernel): number[] {
  const reach = (kernel.length - 1) / 2;
  const last = values.length - 1;
  const at = (i: number): number => {
    if (i < 0) return 2 * (values[0] ?? 0) - (values[Math.min(last, -i)] ?? 0);
    if (i > last) return 2 * (values[last] ?? 0) - (values[Math.max(0, 2 * last - i)] ?? 0);
    return values[i] ?? 0;
  };
  return values.map((_, i) => kernel.reduce((sum, weight, k) => sum + weight * at(i + k - reach), 0));
}

/** Twice the binomial filter of an even order less that filter run twice. */
function twiced(order: number): Kernel {
  const once = binomial(order);
  return binomial(2 * order).map((weight, i) => 2 * (once[i - order / 2] ?? 0) - weight);
}

function binomial(order: number): number[] {
  let row = [1];
  for (let i = 0; i < order; i += 1) row = [...row, 0].map((weight, k) => (weight + (row[k - 1] ?? 0)) / 2);
  return row;
}
