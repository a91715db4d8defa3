import { boxOf, cut, type FaceSquare, inPicture, squareAround } from '../avatar/face/face-square.ts';
import { measureFace } from '../avatar/face/measure.ts';
import type { FaceFinder, FoundFace } from '../avatar/face/ports.ts';
import type { Picture } from '../avatar/source/clip.ts';
import { modelFolder, openFaceApi, type Tensor } from './face-api-module.ts';

type Box = FoundFace['box'];

interface Detected {
  readonly box: Box;
  readonly score: number;
}

/**
 * Sides of what the detector sees, px. It misses faces that fill much of what it sees, and turned ones among them, so a whole picture
 * is shown to it in two sizes: in the smaller it finds those, in the larger faces down to a thirtieth of the picture's longer side.
 */
const wholeSides = [224, 416];
const nearSide = 160;
/** How far around a known face is looked, over the larger side of its box. */
const nearMargin = 2;
/** Detections below this are none. */
const leastScore = 0.5;
/** What the networks were trained on, px. */
const landmarkSide = 112;
const embeddingSide = 150;
/** Side of the square over the larger side of the landmarks' box. */
const landmarkMargin = 1.25;
const embeddingMargin = 1.2;
/** Landmarks that cover less than this of what was detected, and of anything else, are no face's. */
const leastOverlap = 0.3;
/** Two faces that share more than this are one. */
const sameFace = 0.5;

/** The tiny detector, the 68 points and the recognition network of face-api. Throws `FaceFinderUnavailable`. */
export async function openFaceFinder(): Promise<FaceFinder> {
  const { tf, NetInput, TinyFaceDetector, FaceLandmark68Net, FaceRecognitionNet } = await openFaceApi();
  const [detector, landmarker, recogniser] = [new TinyFaceDetector(), new FaceLandmark68Net(), new FaceRecognitionNet()];
  const networks = [detector, landmarker, recogniser];
  await Promise.all(networks.map((network) => network.loadFromDisk(modelFolder())));

  async function detect(pixels: Tensor, inputSizes: readonly number[]): Promise<readonly Detected[]> {
    try {
      const found: Detected[] = [];
      for (const inputSize of inputSizes) found.push(...(await detector.locateFaces(pixels, { inputSize, scoreThreshold: leastScore })));
      return distinct(found);
    } finally {
      pixels.dispose();
    }
  }

  function run(network: typeof landmarker | typeof recogniser, cuts: readonly Float32Array[], side: number): readonly Float32Array[] {
    const tensors = cuts.map((pixels) => tf.tensor3d(pixels, [side, side, 3], 'float32'));
    const output = network.forwardInput(new NetInput(tensors, true));
    const numbers = output.dataSync();
    for (const tensor of [...tensors, output]) tensor.dispose();
    const each = numbers.length / cuts.length;
    return cuts.map((_, i) => numbers.slice(i * each, (i + 1) * each));
  }

  /** Mean of what is seen in these squares. */
  function landmarksIn(picture: Picture, squares: readonly FaceSquare[]): Float32Array {
    const cuts = squares.map((square) => cut(picture, square, landmarkSide));
    const seen = run(landmarker, cuts, landmarkSide).map((points, i) =>
      inPicture(points, squares[i] ?? squareOf({ x: 0, y: 0, width: 0, height: 0 })),
    );
    return new Float32Array(136).map((_, i) => seen.reduce((sum, points) => sum + (points[i] ?? 0), 0) / seen.length);
  }

  function faceIn(picture: Picture, { box, score }: Detected): FoundFace | null {
    const rough = landmarksIn(picture, [squareOf(box)]);
    const square = squareAround(rough, landmarkMargin);
    const shift = square.side / 50;
    const landmarks = landmarksIn(picture, [
      { ...square, x: square.x + shift, y: square.y + shift },
      { ...square, x: square.x - shift, y: square.y - shift, mirrored: true },
    ]);
    const found = { box: boxOf(landmarks), score, landmarks };
    return measureFace(landmarks) !== null && overlap(found.box, box) >= leastOverlap ? found : null;
  }

  async function detectNear(picture: Picture, { landmarks }: FoundFace): Promise<readonly Detected[]> {
    const square = { ...squareAround(landmarks, nearMargin), roll: 0 };
    const pixels = tf.tensor3d(cut(picture, square, nearSide), [nearSide, nearSide, 3], 'float32');
    const scale = square.side / nearSide;
    return (await detect(pixels, [nearSide])).map(({ box, score }) => ({
      box: {
        x: square.x - square.side / 2 + box.x * scale,
        y: square.y - square.side / 2 + box.y * scale,
        width: box.width * scale,
        height: box.height * scale,
      },
      score,
    }));
  }

  return {
    async find(picture, near = []) {
      const { data, width, height } = picture;
      const detected =
        near.length === 0
          ? await detect(tf.tensor3d(data, [height, width, 3], 'int32'), wholeSides)
          : (await Promise.all(near.map((face) => detectNear(picture, face)))).flat();
      const faces = distinct(detected.flatMap((one) => faceIn(picture, one) ?? []));
      return faces.toSorted((a, b) => b.box.width * b.box.height - a.box.width * a.box.height);
    },
    async embed(picture, { landmarks }) {
      const [numbers] = run(recogniser, [cut(picture, squareAround(landmarks, embeddingMargin), embeddingSide)], embeddingSide);
      return numbers ?? new Float32Array();
    },
    async [Symbol.asyncDispose]() {
      for (const network of networks.splice(0)) network.dispose();
    },
  };
}

function squareOf({ x, y, width, height }: Box): FaceSquare {
  return { x: x + width / 2, y: y + height / 2, side: Math.max(width, height), roll: 0, mirrored: false };
}

/** Without those that are, less surely, another one again. */
function distinct<T extends Detected>(found: readonly T[]): T[] {
  const surest = found.toSorted((a, b) => b.score - a.score);
  return surest.filter((one, i) => !surest.slice(0, i).some((surer) => overlap(one.box, surer.box) > sameFace));
}

/** What two boxes share, over what they cover together. */
function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const shared = Math.max(0, width) * Math.max(0, height);
  return shared / (a.width * a.height + b.width * b.height - shared);
}
