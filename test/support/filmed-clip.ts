import { fileURLToPath } from 'node:url';
import { type Canvas, createCanvas, loadImage, type SKRSContext2D } from '@napi-rs/canvas';
import { Encoder, Muxer } from 'node-av/api';
import { AV_PIX_FMT_YUV420P, FF_ENCODER_LIBVPX_VP8, FF_ENCODER_LIBX264 } from 'node-av/constants';
import { Frame, Rational } from 'node-av/lib';
import { writeRgba } from '../../packages/engine/src/avatar/i420.ts';
import type { Picture } from '../../packages/engine/src/avatar/source/clip.ts';
import { createWarpRenderer } from '../../packages/engine/src/avatar/warp/warp-renderer.ts';
import type { MouthShape } from '../../packages/engine/src/media/ports.ts';
import { landmarksOf } from './faces/landmarks.ts';
import { seeded } from './seeded.ts';

/*
 * Clips of people for tests, made of two photos (faces/NOTICE.md): the head sways, eyes blink, a sensor adds noise. What a photo
 * does not hold is imitated, as well as each option says.
 */

export type Person = keyof typeof landmarksOf;

export interface Shot {
  /** `hopper`: lips closed; `collins`: a smile with teeth. */
  readonly person?: Person;
  /** Whose number is what the functions below are asked for. */
  readonly frames?: number;
  readonly width?: number;
  readonly height?: number;
  /** Distance of the eyes, px. */
  readonly eyesPx?: number;
  /** How far the head sways: 1 is 6 px, 2 degrees and 1 %, once in 4 s. */
  readonly sway?: number;
  /** The camera jumps by as much at random in every frame, standard deviation in px. */
  readonly shakePx?: number;
  /** 0: lips closed; 1: as for an "ah". The photo's mouth is opened by the renderer that speaks with it. */
  readonly mouth?: (frame: number) => number;
  /** 0: eyes open; 1: shut. Skin is painted over the eye from above, with lashes where it ends. */
  readonly blink?: (frame: number) => number;
  /**
   * rad. The picture of the face as the wrapping of an upright cylinder that is turned: near cheek and far cheek change as on a
   * real head, but the nose does not stick out.
   */
  readonly turn?: number;
  /** 1: as photographed. */
  readonly light?: number;
  /** More people, in a row beside the first. */
  readonly others?: { readonly count: number; readonly eyesPx: number };
  /** A wall instead of a person. */
  readonly nobody?: boolean;
  /** Standard deviation of luma, of 255. */
  readonly noise?: number;
}

/** Sides of the squares that are cut out of the photos, px. */
const side = 512;
const framesPerSecond = 25;
const levels = 8;

/** The frames of a clip as RGB24. */
export async function film(shot: Shot): Promise<Picture[]> {
  const { frames = 50, width = 640, height = 480 } = shot;
  const random = seeded(7);
  const canvas = createCanvas(width, height);
  const pictures: Picture[] = [];
  for (let frame = 0; frame < frames; frame += 1) {
    await draw(canvas.getContext('2d'), shot, { frame, random });
    pictures.push(pictureOf(canvas, { noise: shot.noise ?? 2, random }));
  }
  return pictures;
}

interface Moment {
  readonly frame: number;
  readonly random: () => number;
}

async function draw(context: SKRSContext2D, shot: Shot, { frame, random }: Moment): Promise<void> {
  const { person = 'hopper', eyesPx = 80, sway = 1, shakePx = 0, others = { count: 0, eyesPx: 0 } } = shot;
  const { width, height } = context.canvas;
  context.resetTransform();
  const wall = context.createLinearGradient(0, 0, width, height);
  wall.addColorStop(0, '#8d97a5');
  wall.addColorStop(1, '#4f5a63');
  context.fillStyle = wall;
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  const phase = (2 * Math.PI * frame) / (4 * framesPerSecond);
  const shake = { x: shakePx * gaussian(random), y: shakePx * gaussian(random) };
  if (shot.nobody !== true) {
    const one = await posed(person, { mouth: shot.mouth?.(frame) ?? 0, blink: shot.blink?.(frame) ?? 0, turn: shot.turn ?? 0 });
    const move = { x: 6 * Math.sin(phase) * sway, y: 3 * Math.sin(2 * phase) * sway, roll: 0.035 * Math.cos(phase) * sway };
    const middle = others.count === 0 ? width / 2 : width / (others.count + 2);
    const at = { x: middle + move.x + shake.x, y: height * 0.42 + move.y + shake.y };
    place(context, { photo: one, person, at, eyesPx: eyesPx * (1 + 0.01 * Math.sin(phase) * sway), roll: move.roll });
    const other = person === 'hopper' ? 'collins' : 'hopper';
    for (let i = 1; i <= others.count; i += 1) {
      const there = { x: middle + (i * (width - middle * 1.2)) / (others.count + 0.2) + shake.x, y: height * 0.4 + shake.y };
      place(context, { photo: await posed(other, still), person: other, at: there, eyesPx: others.eyesPx, roll: 0 });
    }
  }
  context.resetTransform();
  context.fillStyle = `rgba(0, 0, 0, ${1 - (shot.light ?? 1)})`;
  context.fillRect(0, 0, width, height);
}

/** A photo so that the middle between the eyes is in its place; as wide as head and shoulders, so that two fit beside each other. */
function place(
  context: SKRSContext2D,
  { photo, person, at, eyesPx, roll }: { photo: Canvas; person: Person; at: { x: number; y: number }; eyesPx: number; roll: number },
): void {
  const eyes = eyesOf(person);
  const scale = eyesPx / eyes.distance;
  context.resetTransform();
  context.translate(at.x, at.y);
  context.rotate(roll);
  context.scale(scale, scale);
  context.drawImage(photo, -eyes.x, -eyes.y);
}

interface Pose {
  readonly mouth: number;
  readonly blink: number;
  readonly turn: number;
}

const still: Pose = { mouth: 0, blink: 0, turn: 0 };
const posedPhotos = new Map<string, Canvas>();

/** The person's square, in one of `levels` steps of each movement. */
async function posed(person: Person, pose: Pose): Promise<Canvas> {
  const step = (share: number) => Math.round(share * levels) / levels;
  const [mouth, blink] = [step(pose.mouth), step(pose.blink)];
  const key = [person, mouth, blink, pose.turn].join();
  const known = posedPhotos.get(key);
  if (known !== undefined) return known;
  const canvas = await portrait(person);
  if (mouth > 0) openMouth(canvas, person, mouth);
  if (blink > 0) shutEyes(canvas, person, blink);
  if (pose.turn !== 0) turnHead(canvas, person, pose.turn);
  posedPhotos.set(key, canvas);
  return canvas;
}

async function portrait(person: Person): Promise<Canvas> {
  const photo = await loadImage(fileURLToPath(new URL(`faces/${person}.jpg`, import.meta.url)));
  const canvas = createCanvas(side, side);
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  const top = person === 'hopper' ? 40 : 0;
  const from = person === 'hopper' ? side : photo.width;
  context.drawImage(photo, 0, top, from, from, 0, 0, side, side);
  return canvas;
}

function openMouth(canvas: Canvas, person: Person, share: number): void {
  const context = canvas.getContext('2d');
  const { data } = context.getImageData(0, 0, side, side);
  const frame = new Uint8Array((side * side * 3) / 2);
  writeRgba({ data: frame, width: side, height: side }, { x: 0, y: 0, width: side, height: side }, data);
  const renderer = createWarpRenderer({ size: side, frames: [frame], landmarks: [Float32Array.from(landmarksOf[person])] });
  const picture = context.createImageData(side, side);
  picture.data.set(rgbaOf(renderer.render(0, mouthShape(share))));
  context.putImageData(picture, 0, 0);
}

function mouthShape(open: number): MouthShape {
  return { ...noViseme, aa: open, sil: 1 - open };
}

const noViseme: MouthShape = {
  sil: 0,
  PP: 0,
  FF: 0,
  TH: 0,
  DD: 0,
  kk: 0,
  CH: 0,
  SS: 0,
  nn: 0,
  RR: 0,
  aa: 0,
  E: 0,
  I: 0,
  O: 0,
  U: 0,
};

/** BT.601, video range. */
function rgbaOf(i420: Uint8Array): Uint8ClampedArray {
  const rgba = new Uint8ClampedArray(side * side * 4);
  for (let i = 0; i < side * side; i += 1) {
    const half = (i >> 10) * (side / 2) + ((i % side) >> 1);
    const luma = 1.164 * ((i420[i] ?? 0) - 16);
    const u = (i420[side * side + half] ?? 0) - 128;
    const v = (i420[side * side * 1.25 + half] ?? 0) - 128;
    rgba[4 * i] = luma + 1.596 * v;
    rgba[4 * i + 1] = luma - 0.392 * u - 0.813 * v;
    rgba[4 * i + 2] = luma + 2.017 * u;
    rgba[4 * i + 3] = 255;
  }
  return rgba;
}

function shutEyes(canvas: Canvas, person: Person, share: number): void {
  const context = canvas.getContext('2d');
  for (const first of [36, 42]) {
    const points = Array.from({ length: 6 }, (_, i) => pointOf(person, first + i));
    const [left, right] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
    const [top, bottom] = [Math.min(...points.map(({ y }) => y)), Math.max(...points.map(({ y }) => y))];
    const high = bottom - top;
    const [r = 0, g = 0, b = 0] = context.getImageData(Math.round((left + right) / 2), Math.round(bottom + 0.9 * high), 1, 1).data;
    const lid = top + share * high;
    context.save();
    context.beginPath();
    context.ellipse((left + right) / 2, (top + bottom) / 2, (right - left) * 0.58, high * 0.75, 0, 0, 2 * Math.PI);
    context.clip();
    context.fillStyle = `rgb(${r * 0.95}, ${g * 0.92}, ${b * 0.9})`;
    context.fillRect(left - high, top - high, right - left + 2 * high, lid - top + high);
    context.fillStyle = 'rgba(40, 25, 20, 0.8)';
    context.fillRect(left, lid - 1.5, right - left, 3);
    context.restore();
  }
}

function turnHead(canvas: Canvas, person: Person, turn: number): void {
  const jaw = [pointOf(person, 0), pointOf(person, 16)];
  const [left, right] = [jaw[0]?.x ?? 0, jaw[1]?.x ?? 0];
  const middle = (left + right) / 2;
  const radius = (right - left) * 0.56;
  const top = pointOf(person, 27).y - 1.1 * radius * 2;
  const bottom = pointOf(person, 8).y + 0.1 * radius;
  const flat = createCanvas(side, side);
  flat.getContext('2d').drawImage(canvas, 0, 0);
  const context = canvas.getContext('2d');
  for (let x = -Math.floor(radius); x < radius; x += 1) {
    const angle = Math.asin(x / radius) - turn;
    // What was hidden is hair of the head's edge.
    const from = middle + radius * Math.sin(Math.max(-1.45, Math.min(1.45, angle)));
    const high = (bottom - top) * Math.sqrt(Math.max(0, 1 - (x / radius) ** 4));
    const lower = bottom - (bottom - top - high) / 4;
    context.drawImage(flat, from, top, 1, lower - top, middle + x, top, 1, lower - top);
  }
}

function eyesOf(person: Person): { readonly x: number; readonly y: number; readonly distance: number } {
  const [a, b] = [36, 42].map((first) => {
    const points = Array.from({ length: 6 }, (_, i) => pointOf(person, first + i));
    return { x: points.reduce((sum, { x }) => sum + x, 0) / 6, y: points.reduce((sum, { y }) => sum + y, 0) / 6 };
  });
  if (a === undefined || b === undefined) throw new Error('a face has two eyes');
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, distance: Math.hypot(b.x - a.x, b.y - a.y) };
}

function pointOf(person: Person, index: number): { readonly x: number; readonly y: number } {
  const points: readonly number[] = landmarksOf[person];
  return { x: points[2 * index] ?? 0, y: points[2 * index + 1] ?? 0 };
}

function pictureOf(canvas: Canvas, { noise, random }: { readonly noise: number; readonly random: () => number }): Picture {
  const { width, height } = canvas;
  const rgba = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  const data = new Uint8ClampedArray(width * height * 3);
  // A table of noise, entered somewhere else for every picture: a draw for each pixel takes longer than all the rest.
  const start = Math.floor(random() * grain.length);
  for (let i = 0; i < width * height; i += 1) {
    const more = noise * (grain[(start + i * 7) % grain.length] ?? 0);
    for (let channel = 0; channel < 3; channel += 1) data[3 * i + channel] = (rgba[4 * i + channel] ?? 0) + more;
  }
  return { width, height, data: new Uint8Array(data.buffer) };
}

function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const grain = ((random) => Float32Array.from({ length: 65_537 }, () => gaussian(random)))(seeded(3));

/** Writes the pictures as H.264 in MP4 or VP8 in WebM, by the name's ending. */
export async function writeFilm(path: string, pictures: readonly Picture[], fps: 25 | 30): Promise<void> {
  const [first] = pictures;
  if (first === undefined) throw new Error('a film has a picture');
  const { width, height } = first;
  const timeBase = new Rational(1, fps);
  const context = {
    width,
    height,
    pixelFormat: AV_PIX_FMT_YUV420P,
    timeBase,
    framerate: new Rational(fps, 1),
    gopSize: fps,
    threadCount: 1,
  };
  await using encoder = path.endsWith('.webm')
    ? await Encoder.create(FF_ENCODER_LIBVPX_VP8, {
        context: { ...context, bitRate: '3M' },
        options: { deadline: 'realtime', 'cpu-used': 8 },
      })
    : await Encoder.create(FF_ENCODER_LIBX264, { context: { ...context, bitRate: '3M' }, options: { preset: 'ultrafast' } });
  await using muxer = await Muxer.open(path);
  const stream = muxer.addStream(encoder);
  const data = new Uint8Array((width * height * 3) / 2);
  const rgba = new Uint8Array(width * height * 4);
  for (const [i, picture] of pictures.entries()) {
    for (let p = 0; p < width * height; p += 1) {
      for (let channel = 0; channel < 3; channel += 1) rgba[4 * p + channel] = picture.data[3 * p + channel] ?? 0;
    }
    writeRgba({ data, width, height }, { x: 0, y: 0, width, height }, rgba);
    using frame = Frame.fromVideoBuffer(Buffer.from(data), { width, height, format: AV_PIX_FMT_YUV420P, timeBase, pts: BigInt(i) });
    for (const packet of await encoder.encodeAll(frame)) await muxer.writePacket(packet, stream);
  }
  for (const packet of await encoder.encodeAll(null)) await muxer.writePacket(packet, stream);
}
