import { constants } from 'node:os';
import {
  AV_BUFFERSRC_FLAG_KEEP_REF,
  AVCOL_SPC_BT470BG,
  AVCOL_SPC_BT709,
  AVCOL_SPC_BT2020_NCL,
  AVCOL_SPC_FCC,
  AVCOL_SPC_RGB,
  AVCOL_SPC_SMPTE170M,
  AVCOL_SPC_SMPTE240M,
  type AVColorSpace,
  AVERROR_EAGAIN,
} from 'node-av/constants';
import { FFmpegError, Filter, type FilterContext, FilterGraph, Frame } from 'node-av/lib';
import { ClipRefused, type Size } from '../avatar/source/clip.ts';
import { type Region, storedRegion, type Turn, turnedSize } from '../avatar/source/upright.ts';

/** What is made of every frame. */
export interface Upright {
  readonly turn: Turn;
  /** Width of a stored pixel over its height. */
  readonly pixelAspect: number;
  /** Of the upright picture of the clip's first frame; null: all of it. */
  readonly region: Region | null;
  /** Of the result. */
  readonly size: Size;
  /** `yuv420p` is of BT.601, video range, whatever the clip is of. `rgba` is multiplied by its alpha. */
  readonly format: 'rgb24' | 'rgba' | 'yuv420p';
  /** Video whose matrix is not named is of BT.601 for sure (VP8, JPEG); of the rest, high definition is of BT.709. */
  readonly isBt601: boolean;
}

/** Crops, scales, turns and converts frames, in FFmpeg's threads. Planes of the result follow one another without padding. */
export interface UprightMaker extends Disposable {
  make(frame: Frame): Promise<Uint8Array>;
}

/** The matrices that FFmpeg's scaler can undo, and none at all (RGB). Films name others by mistake, or not at all. */
const convertible: ReadonlySet<AVColorSpace> = new Set([
  AVCOL_SPC_RGB,
  AVCOL_SPC_BT709,
  AVCOL_SPC_FCC,
  AVCOL_SPC_BT470BG,
  AVCOL_SPC_SMPTE170M,
  AVCOL_SPC_SMPTE240M,
  AVCOL_SPC_BT2020_NCL,
]);

/** FFmpeg's errors are the system's, negative. */
const notSupported: ReadonlySet<number> = new Set([-constants.errno.ENOTSUP, -constants.errno.EOPNOTSUPP]);

/** A pixel aspect beyond this is a mistake, not a lens. */
const widestAspect = 4;

/** 1 unless the file says something sensible. */
export function sensibleAspect(aspect: number): number {
  return aspect > 1 / widestAspect && aspect < widestAspect && Math.abs(aspect - 1) > 0.01 ? aspect : 1;
}

/** As shown. */
export function shownSize(frame: Size, { turn, pixelAspect }: Pick<Upright, 'turn' | 'pixelAspect'>): Size {
  return turnedSize(squareSize(frame, pixelAspect), turn);
}

function squareSize({ width, height }: Size, pixelAspect: number): Size {
  return { width: Math.max(1, Math.round(width * pixelAspect)), height };
}

export function createUprightMaker(upright: Upright): UprightMaker {
  const result = new Frame();
  result.alloc();
  let first: Size | null = null;
  let line: Line | null = null;
  return {
    async make(frame) {
      if (!convertible.has(frame.colorSpace)) {
        frame.colorSpace = upright.isBt601 || frame.height < 720 ? AVCOL_SPC_SMPTE170M : AVCOL_SPC_BT709;
      }
      first ??= { width: frame.width, height: frame.height };
      if (line === null || line.key !== keyOf(frame)) {
        line?.graph.free();
        line = null;
        line = createLine(frame, upright, first);
      }
      FFmpegError.throwIfError(await line.source.buffersrcAddFrame(frame, AV_BUFFERSRC_FLAG_KEEP_REF), 'convert a frame');
      const status = await line.sink.buffersinkGetFrame(result);
      // The scaler says only now which transfer characteristics it does not know: those of film scanners.
      if (notSupported.has(status)) throw new ClipRefused('format_not_supported');
      if (status === AVERROR_EAGAIN) throw new Error('the filters kept a frame');
      FFmpegError.throwIfError(status, 'convert a frame');
      const { buffer, byteOffset, byteLength } = result.toBuffer();
      result.unref();
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
    [Symbol.dispose]() {
      line?.graph.free();
      line = null;
      result.free();
    },
  };
}

/** A graph of filters that follow one another. */
interface Line {
  /** Of frames that it takes. */
  readonly key: string;
  readonly graph: FilterGraph;
  readonly source: FilterContext;
  readonly sink: FilterContext;
}

function keyOf({ width, height, format, colorSpace, colorRange }: Frame): string {
  return [width, height, format, colorSpace, colorRange].join(' ');
}

function createLine(frame: Frame, upright: Upright, first: Size): Line {
  const graph = new FilterGraph();
  graph.alloc();
  try {
    graph.nbThreads = 1;
    const source = sourceOf(graph, frame);
    let last = source;
    for (const [name, options] of [...stepsOf(frame, upright, first), ['buffersink', null] as const]) {
      const filter = create(graph, name, options);
      FFmpegError.throwIfError(last.link(0, filter, 0), 'link filters');
      last = filter;
    }
    // The filters themselves are known to be there: what they do not take is a strange kind of picture.
    if (graph.configSync() < 0) throw new ClipRefused('format_not_supported');
    return { key: keyOf(frame), graph, source, sink: last };
  } catch (error) {
    graph.free();
    throw error;
  }
}

function sourceOf(graph: FilterGraph, { width, height, format, colorSpace, colorRange }: Frame): FilterContext {
  const options = `width=${width}:height=${height}:pix_fmt=${format}:time_base=1/1000:colorspace=${colorSpace}:range=${colorRange}`;
  return create(graph, 'buffer', options);
}

function create(graph: FilterGraph, name: string, options: string | null): FilterContext {
  const filter = Filter.getByName(name);
  const context = filter === null ? null : graph.createFilter(filter, name, options);
  if (context === null) throw new TypeError(`this build of FFmpeg lacks a filter or an option of it: ${name}`);
  return context;
}

type Step = readonly [filter: string, options: string | null];

/** Bit-exact: the same clip gives the same pictures on every machine. */
const scaling = 'flags=bicubic+accurate_rnd+full_chroma_int+bitexact';

function stepsOf(frame: Size, upright: Upright, first: Size): Step[] {
  const { turn, size, format } = upright;
  const stored = turnedSize(size, turn);
  const { x, y, width, height } = croppedRegion(frame, upright, first);
  const steps: Step[] = [];
  if (width !== frame.width || height !== frame.height) steps.push(['crop', `w=${width}:h=${height}:x=${x}:y=${y}:exact=1`]);
  if (format === 'rgba') steps.push(['format', 'pix_fmts=gbrap'], ['premultiply', 'inplace=1']);
  const matrix = format === 'yuv420p' ? ':out_color_matrix=bt601:out_range=limited' : '';
  steps.push(['scale', `w=${stored.width}:h=${stored.height}:${scaling}${matrix}`], ['format', `pix_fmts=${format}`]);
  if (turn.transposed) steps.push(['transpose', 'dir=cclock_flip']);
  if (turn.mirrored) steps.push(['hflip', null]);
  if (turn.flipped) steps.push(['vflip', null]);
  return steps;
}

/** Of two shapes, how far they may differ to be one: a codec rounds sizes to even numbers. */
const sameShape = 0.03;

/** In px of the stored frame, whole ones. A browser's recorder may change the size as it goes, never the shape. */
function croppedRegion(frame: Size, { region, turn, pixelAspect }: Upright, first: Size): Region {
  const across = frame.width / first.width;
  const down = frame.height / first.height;
  if (Math.abs(across / down - 1) > sameShape) throw new ClipRefused('format_not_supported');
  if (region === null) return { x: 0, y: 0, width: frame.width, height: frame.height };
  const stored = storedRegion(region, squareSize(first, pixelAspect), turn);
  const x = within(Math.round((stored.x / pixelAspect) * across), 0, frame.width - 1);
  const y = within(Math.round(stored.y * down), 0, frame.height - 1);
  return {
    x,
    y,
    width: within(Math.round((stored.width / pixelAspect) * across), 1, frame.width - x),
    height: within(Math.round(stored.height * down), 1, frame.height - y),
  };
}

function within(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
