import type { Frame } from 'node-av/lib';
import { writeRgba } from '../avatar/i420.ts';
import { type ClipFacts, type ClipLimits, ClipRefused, type Picture, type Size, type Square, scaledTo } from '../avatar/source/clip.ts';
import { longestLastMs, tickMs } from '../avatar/source/constant-rate.ts';
import { type Region, upright } from '../avatar/source/upright.ts';
import { type ClipFile, openClipFile } from './node-av-clip-file.ts';
import { type Film, openFilm } from './node-av-film.ts';
import { createTally, decodedFrames, type ShownFrame, shownFrames } from './node-av-frames.ts';
import { openPhoto } from './node-av-photo.ts';
import { probeSequence, type Sequence, sequenceFrames } from './node-av-sequence.ts';
import { createUprightMaker, sensibleAspect, shownSize, type Upright, type UprightMaker } from './node-av-upright.ts';

export interface ReadOptions {
  readonly limits: ClipLimits;
  /** Ends the reading with an AbortError, within a frame. */
  readonly signal?: AbortSignal;
}

export interface PicturesOptions extends ReadOptions {
  /** px, even */
  readonly longSidePx: number;
}

export interface CropOptions extends ReadOptions {
  readonly square: Square;
  /** Of the result, px, even. */
  readonly size: number;
  /** Index of the first frame, as `readPictures` counts them. */
  readonly first: number;
  /** Index after the last frame. */
  readonly end: number;
}

/**
 * What a clip is, in the time that it takes to read the file and to decode one frame. Throws `ClipRefused`.
 *
 * A clip that passes may still turn out damaged, or too long for what its broken packets claimed, when all of it is decoded.
 */
export async function probeClip(path: string, limits: ClipLimits, signal: AbortSignal = neverAborted()): Promise<ClipFacts> {
  await using file = await openClipFile(path);
  const { container } = file;
  if (isPhoto(file)) {
    const { frame, turn } = await openPhoto(file, limits);
    using _ = frame;
    return { container, ...shownSize(frame, { turn, pixelAspect: 1 }), durationMs: null, still: true };
  }
  if (container === 'legacy') return { container, ...(await probeSequence({ file, limits, signal })), still: false };
  const size = await sizeOfFilm(file, limits, signal);
  return { container, ...size, durationMs: await durationOfFilm(file, limits, signal), still: false };
}

/**
 * Constant 25 pictures a second, whatever the clip's rate, each the last that the clip shows at or before its tick: picture i is of
 * `i * 40` ms. Upright, scaled so that the longer side has `longSidePx`. A picture that is shown longer comes again as the same object.
 * A photo gives one picture. Throws `ClipRefused`, perhaps only after the last good picture.
 */
export async function* readPictures(path: string, options: PicturesOptions): AsyncGenerator<Picture, void, undefined> {
  await using file = await openClipFile(path);
  const plan = (shown: Size) => ({ region: null, size: scaledTo(shown, options.longSidePx) });
  if (isPhoto(file)) {
    const { size, rgba } = await uprightPhoto({ file, options, plan });
    yield { ...size, data: rgbOf(rgba) };
    return;
  }
  for await (const { data, size, ticks } of uprightFrames({ file, options, plan }, { format: 'rgb24', first: 0, end: Infinity })) {
    const picture = { ...size, data };
    for (let i = 0; i < ticks; i += 1) yield picture;
  }
}

/**
 * The pictures of `readPictures` from `first` until before `end`, cropped to a square and scaled, as I420: BT.601, video range.
 * Throws `ClipRefused`, and `RangeError` when the square is not inside the clip.
 */
export async function* readCrop(path: string, options: CropOptions): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await openClipFile(path);
  const { square, size, first, end } = options;
  const plan = (shown: Size) => ({ region: inside(square, shown), size: { width: size, height: size } });
  if (isPhoto(file)) {
    const photo = await uprightPhoto({ file, options, plan });
    if (first <= 0 && end >= 1) yield i420Of(photo);
    return;
  }
  for await (const { data, ticks } of uprightFrames({ file, options, plan }, { format: 'yuv420p', first, end })) {
    for (let i = 0; i < ticks; i += 1) yield data;
  }
}

function inside({ x, y, side }: Square, shown: Size): Region {
  const fits = side >= 1 && x >= 0 && y >= 0 && x + side <= shown.width && y + side <= shown.height;
  if (!fits) throw new RangeError('the square is not inside the clip');
  return { x, y, width: side, height: side };
}

function isPhoto({ container }: ClipFile): boolean {
  return container === 'png' || container === 'jpeg';
}

function neverAborted(): AbortSignal {
  return new AbortController().signal;
}

interface Reading {
  readonly file: ClipFile;
  readonly options: ReadOptions;
  /** What to take of a clip of this size, and how large to make it. */
  readonly plan: (shown: Size) => Pick<Upright, 'region' | 'size'>;
}

interface Span {
  readonly format: 'rgb24' | 'yuv420p';
  /** Ticks. */
  readonly first: number;
  readonly end: number;
}

interface UprightFrame {
  readonly data: Uint8Array;
  readonly size: Size;
  /** For how many ticks of the span it is shown; at least one. */
  readonly ticks: number;
}

async function* uprightFrames(
  { file, options, plan }: Reading,
  { format, first, end }: Span,
): AsyncGenerator<UprightFrame, void, undefined> {
  const sequence = { file, limits: options.limits, signal: options.signal ?? neverAborted() };
  using resources = new DisposableStack();
  let made: { maker: UprightMaker; size: Size } | null = null;
  for await (const shown of storedFrames(sequence, first)) {
    if (made === null) {
      const planned = plan(shownSize(shown.frame, shown.stored));
      made = { maker: resources.use(createUprightMaker({ ...shown.stored, ...planned, format })), size: planned.size };
    }
    const ticks = Math.min(end, shown.first + shown.ticks) - Math.max(first, shown.first);
    if (ticks > 0) yield { data: await made.maker.make(shown.frame), size: made.size, ticks };
    if (shown.first + shown.ticks >= end) return;
  }
}

interface StoredFrame extends ShownFrame {
  /** How its pixels lie. */
  readonly stored: Stored;
}

type Stored = Pick<Upright, 'turn' | 'pixelAspect' | 'isBt601'>;

/** Those before `first` may be left out. */
async function* storedFrames(sequence: Sequence, first: number): AsyncGenerator<StoredFrame, void, undefined> {
  if (sequence.file.container === 'legacy') {
    for await (const shown of sequenceFrames(sequence, first)) yield { ...shown, stored: { turn: upright, pixelAspect: 1, isBt601: true } };
    return;
  }
  await using film = await openFilm(sequence.file, sequence.limits, sequence.signal);
  for await (const shown of shownFrames({ film, limits: sequence.limits, signal: sequence.signal }))
    yield { ...shown, stored: uprightOf(film, shown.frame) };
}

function uprightOf(film: Film, { sampleAspectRatio }: Frame): Stored {
  const ofFrame = sampleAspectRatio.den > 0 ? sampleAspectRatio.num / sampleAspectRatio.den : 0;
  return { turn: film.turn, pixelAspect: sensibleAspect(film.pixelAspect || ofFrame), isBt601: film.isVp8 };
}

interface UprightPhoto {
  readonly size: Size;
  /** Opaque. */
  readonly rgba: Uint8Array;
}

async function uprightPhoto({ file, options, plan }: Reading): Promise<UprightPhoto> {
  options.signal?.throwIfAborted();
  const { frame, turn } = await openPhoto(file, options.limits);
  using _ = frame;
  const planned = plan(shownSize(frame, { turn, pixelAspect: 1 }));
  using maker = createUprightMaker({ ...planned, turn, pixelAspect: 1, format: 'rgba', isBt601: true });
  return { size: planned.size, rgba: onWhite(await maker.make(frame)) };
}

/** What is transparent in a photo becomes white, as on a page. The colours are multiplied by their alpha already. */
function onWhite(premultiplied: Uint8Array): Uint8Array {
  const opaque = premultiplied.slice();
  for (let i = 0; i < opaque.length; i += 4) {
    const white = 255 - (opaque[i + 3] ?? 0);
    for (let channel = i; channel < i + 3; channel += 1) opaque[channel] = Math.min(255, (opaque[channel] ?? 0) + white);
    opaque[i + 3] = 255;
  }
  return opaque;
}

function rgbOf(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) rgb.set(rgba.subarray(from, from + 3), to);
  return rgb;
}

function i420Of({ size: { width, height }, rgba }: UprightPhoto): Uint8Array {
  const picture = { data: new Uint8Array((width * height * 3) / 2), width, height };
  writeRgba(picture, { x: 0, y: 0, width, height }, rgba);
  return picture.data;
}

/** Of the first frame that can be decoded: what a header says about it may not be so. */
async function sizeOfFilm(file: ClipFile, limits: ClipLimits, signal: AbortSignal): Promise<Size> {
  await using film = await openFilm(file, limits, signal);
  for await (const { frame } of decodedFrames({ film, limits, signal })) return shownSize(frame, uprightOf(film, frame));
  throw new ClipRefused('damaged');
}

/** From the first to the last packet that is shown; only read, not decoded. */
async function durationOfFilm(file: ClipFile, limits: ClipLimits, signal: AbortSignal): Promise<number> {
  await using film = await openFilm(file, limits, signal);
  const tally = createTally(limits);
  let from = Infinity;
  let last = -Infinity;
  let lastsMs = 0;
  for (let read = await film.read(); read !== null; read = await film.read()) {
    signal.throwIfAborted();
    tally.packet();
    if (read.atMs === null || read.hidden) continue;
    from = Math.min(from, read.atMs);
    if (read.atMs >= last) ({ atMs: last, lastsMs } = { atMs: read.atMs, lastsMs: read.lastsMs });
    if (last - from > limits.maxDurationMs) throw new ClipRefused('too_long');
  }
  signal.throwIfAborted();
  if (last < from) throw new ClipRefused('damaged');
  return Math.min(limits.maxDurationMs, last - from + Math.min(lastsMs || tickMs, longestLastMs));
}
