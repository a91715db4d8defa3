import { writeRgba } from '../../packages/engine/src/avatar/i420.ts';
import type { FilmedFace } from '../../packages/engine/src/avatar/warp/filmed-face.ts';

/*
 * A face drawn for tests, filmed at rest: closed lips, skin with a grain, light from one side, a swaying head; and its
 * 68 landmarks, exact.
 */

interface HeadMove {
  /** px of a 512 px picture */
  readonly x: number;
  readonly y: number;
  /** rad */
  readonly tilt: number;
  readonly scale: number;
}

/** In a head of 512 px: the middle between the lips. */
const lipsAt = { x: 256, y: 330 };
const halfWidth = 40;

/** In a head of 512 px, before it moves. */
const landmarks: readonly (readonly [number, number])[] = [
  // Jaw, from ear to ear.
  ...Array.from({ length: 17 }, (_, i) => {
    const angle = Math.PI - (i / 16) * Math.PI;
    return [256 + 108 * Math.cos(angle), 245 + 163 * Math.sin(angle) ** 0.9] as const;
  }),
  ...Array.from({ length: 5 }, (_, i) => [178 + i * 14, 178 - Math.sin((i / 4) * Math.PI) * 8] as const),
  ...Array.from({ length: 5 }, (_, i) => [278 + i * 14, 178 - Math.sin((i / 4) * Math.PI) * 8] as const),
  ...Array.from({ length: 4 }, (_, i) => [256, 205 + i * 24] as const),
  ...Array.from({ length: 5 }, (_, i) => [238 + i * 9, 290 + (i === 2 ? 4 : 0)] as const),
  ...eye(206),
  ...eye(306),
  [216, 331],
  [232, 323],
  [246, 317],
  [256, 320],
  [266, 317],
  [280, 323],
  [296, 331],
  [280, 343],
  [268, 349],
  [256, 351],
  [244, 349],
  [232, 343],
  [222, 331],
  [244, 330],
  [256, 331],
  [268, 330],
  [290, 331],
  [268, 331],
  [256, 332],
  [244, 331],
];

function eye(x: number): readonly (readonly [number, number])[] {
  return [
    [x - 18, 205],
    [x - 8, 197],
    [x + 8, 197],
    [x + 18, 205],
    [x + 8, 211],
    [x - 8, 211],
  ];
}

/** A loop of `frames` whose head sways by 6 px and 2 degrees and breathes by 1 %. */
export function swaying(frames: number): HeadMove[] {
  return Array.from({ length: frames }, (_, i) => {
    const phase = (2 * Math.PI * i) / frames;
    return { x: 6 * Math.sin(phase), y: 3 * Math.sin(2 * phase), tilt: 0.035 * Math.cos(phase), scale: 1 + 0.01 * Math.sin(phase) };
  });
}

export function drawnFace(size: number, moves: readonly HeadMove[]): FilmedFace {
  return {
    size,
    frames: moves.map((move) => picture(size, move)),
    landmarks: moves.map((move) => Float32Array.from(landmarks.flatMap(([x, y]) => moved([x, y], move).map((px) => (px * size) / 512)))),
  };
}

/** About the nape. */
function moved([x, y]: readonly [number, number], { tilt, scale, ...move }: HeadMove): readonly [number, number] {
  const [dx, dy] = [(x - 256) * scale, (y - 420) * scale];
  return [256 + move.x + dx * Math.cos(tilt) - dy * Math.sin(tilt), 420 + move.y + dx * Math.sin(tilt) + dy * Math.cos(tilt)];
}

function picture(size: number, { x, y, tilt, scale }: HeadMove): Uint8Array {
  const rgba = new Uint8ClampedArray(size * size * 4);
  const cos = Math.cos(tilt) / scale;
  const sin = Math.sin(tilt) / scale;
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const dx = (column * 512) / size - 256 - x;
      const dy = (row * 512) / size - 420 - y;
      const place = { x: 256 + dx * cos + dy * sin, y: 420 + dy * cos - dx * sin };
      rgba.set([...colourAt(place), 255], (row * size + column) * 4);
    }
  }
  const data = new Uint8Array((size * size * 3) / 2);
  writeRgba({ data, width: size, height: size }, { x: 0, y: 0, width: size, height: size }, rgba);
  return data;
}

type Rgb = readonly [number, number, number];
interface Place {
  readonly x: number;
  readonly y: number;
}

/** Of the head before it moves; every edge is a pixel wide. */
function colourAt(place: Place): Rgb {
  const { x, y } = place;
  let colour: Rgb = [107, 127, 140];
  colour = over(colour, [60, 63, 88], within(y - 452));
  const light = 0.93 + 0.15 * Math.min(1, Math.max(0, (x - 150) / 212)) + grain(x, y);
  const skin: Rgb = [216 * light, 172 * light, 149 * light];
  colour = over(colour, skin, Math.min(within(50 - Math.abs(x - 256)), within(y - 370), within(500 - y)));
  const shade = 1 - 0.25 * Math.min(1, oval(place, [256, 245, 108, 163]) ** 2);
  const head = within((1 - oval(place, [256, 245, 108, 163])) * 110);
  colour = over(colour, [skin[0] * shade, skin[1] * shade, skin[2] * shade], head);
  for (const eyeX of [206, 306]) {
    colour = over(colour, [240, 236, 230], within((1 - oval(place, [eyeX, 204, 18, 8])) * 8));
    colour = over(colour, [67, 48, 31], within(7 - Math.hypot(x - eyeX, y - 204)));
    colour = over(
      colour,
      [90, 58, 44],
      Math.min(within(28 - Math.abs(x - eyeX)), within(3 - Math.abs(y - 176 + 0.008 * (28 - Math.abs(x - eyeX)) ** 2))),
    );
  }
  colour = over(colour, [168, 116, 96], Math.min(within(16 - Math.abs(x - 256)), within(2 - Math.abs(y - 296 + 0.02 * (x - 256) ** 2))));
  const lip = Math.max(0, 1 - ((x - lipsAt.x) / halfWidth) ** 2);
  const bow = 4 * Math.exp(-(((x - 256) / 5) ** 2));
  colour = over(
    colour,
    [200 * light, 120 * light, 115 * light],
    Math.min(within(halfWidth - Math.abs(x - 256)), within(y - 331 + 15 * lip - bow), within(331 + 20 * lip ** 0.8 - y)),
  );
  return over(colour, [104, 50, 50], Math.min(within(halfWidth - Math.abs(x - 256)), within(1.2 - Math.abs(y - 331))) * 0.3);
}

/** 0 in the middle of an ellipse, 1 on it. */
function oval({ x, y }: Place, [middleX, middleY, radiusX, radiusY]: readonly [number, number, number, number]): number {
  return Math.hypot((x - middleX) / radiusX, (y - middleY) / radiusY);
}

/** 0 to 1 over the pixel around an edge. */
function within(distance: number): number {
  return Math.min(1, Math.max(0, distance + 0.5));
}

function over(colour: Rgb, [r, g, b]: Rgb, share: number): Rgb {
  return [colour[0] + share * (r - colour[0]), colour[1] + share * (g - colour[1]), colour[2] + share * (b - colour[2])];
}

/** Blotches of some px, as skin has them. */
function grain(x: number, y: number): number {
  return 0.012 * (Math.sin(x * 1.1 + 2 * Math.sin(y * 0.7)) + Math.sin(y * 1.3 + 2 * Math.sin(x * 0.6)));
}
