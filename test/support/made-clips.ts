import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_CODEC_ID_OPUS,
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUVJ420P,
  AV_PKT_DATA_DISPLAYMATRIX,
  AVCOL_RANGE_JPEG,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_BT709,
  AVCOL_SPC_SMPTE170M,
  AVCOL_SPC_UNSPECIFIED,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AVMEDIA_TYPE_AUDIO,
  FF_ENCODER_LIBVPX_VP8,
  FF_ENCODER_LIBVPX_VP9,
  FF_ENCODER_LIBX264,
  FF_ENCODER_LIBX265,
  FF_ENCODER_MJPEG,
  FF_ENCODER_MPEG4,
} from 'node-av/constants';
import { Codec, type CodecContext, Dictionary, FFmpegError, FormatContext, Frame, Packet, Rational, type Stream } from 'node-av/lib';
import { openCodec, setOptions } from '../../packages/engine/src/adapters/node-av-context.ts';
import { createOpusEncoder } from '../../packages/engine/src/adapters/node-av-opus.ts';

export type Rgb = readonly [red: number, green: number, blue: number];

/** What the four quarters of a made clip show: from the upper left to the lower right. */
export const quarters: readonly [Rgb, Rgb, Rgb, Rgb] = [
  [200, 40, 40],
  [40, 180, 60],
  [50, 60, 200],
  [220, 220, 210],
];

const encoders = {
  h264: FF_ENCODER_LIBX264,
  hevc: FF_ENCODER_LIBX265,
  vp8: FF_ENCODER_LIBVPX_VP8,
  vp9: FF_ENCODER_LIBVPX_VP9,
  mjpeg: FF_ENCODER_MJPEG,
  mpeg4: FF_ENCODER_MPEG4,
} as const;

export interface MadeFilm {
  readonly path: string;
  readonly container: 'mp4' | 'mov' | 'webm' | 'matroska' | 'avi';
  readonly codec: keyof typeof encoders;
  readonly width: number;
  readonly height: number;
  /** When each frame begins. */
  readonly timesMs: readonly number[];
  /** Of frame `index`, in the middle of the picture, 16 to 235; tells frames apart. Default: grows by 8. */
  readonly luma?: (index: number) => number;
  /** From the second half on, the frames are of this size. */
  readonly secondSize?: { readonly width: number; readonly height: number };
  /** How far a player turns the picture, clockwise. */
  readonly turnDegrees?: 0 | 90 | 180 | 270;
  readonly colours?: 'bt601' | 'bt709' | 'full' | 'unnamed';
  readonly pixelAspect?: readonly [number, number];
  /** 20 ms packets of Opus. */
  readonly soundMs?: number;
  readonly muxer?: Readonly<Record<string, string>>;
  readonly encoder?: Readonly<Record<string, string | number>>;
}

const timeBase = new Rational(1, 1000);

/** A film of four coloured quarters and a grey square in the middle that tells the frames apart. */
export async function makeFilm(film: MadeFilm): Promise<void> {
  const halves = halvesOf(film).map((half) => ({ half, encoder: openEncoder(half) }));
  const format = new FormatContext();
  FFmpegError.throwIfError(format.allocOutputContext2(null, film.container, film.path), 'make a film');
  const options = film.muxer === undefined ? null : Dictionary.fromObject(film.muxer);
  const packet = new Packet();
  packet.alloc();
  try {
    const video = videoStream(format, halves[0]?.encoder ?? openEncoder(film), film);
    const sound = film.soundMs === undefined ? null : soundStream(format);
    FFmpegError.throwIfError(await format.openOutput(), 'make a film');
    FFmpegError.throwIfError(await format.writeHeader(options), 'make a film');
    if (sound !== null) await writeSound(format, sound, film.soundMs ?? 0);
    for (const { half, encoder } of halves) {
      for await (const _ of encodedPackets(encoder, half, packet)) {
        packet.streamIndex = video.index;
        packet.duration = BigInt(lastsMs(film, Number(packet.pts)));
        packet.rescaleTs(timeBase, video.timeBase);
        FFmpegError.throwIfError(await format.interleavedWriteFrame(packet), 'make a film');
      }
    }
    FFmpegError.throwIfError(await format.writeTrailer(), 'make a film');
  } finally {
    packet.free();
    options?.free();
    await format.closeOutput();
    format.freeContext();
    for (const { encoder } of halves) encoder.freeContext();
  }
}

function halvesOf(film: MadeFilm): MadeFilm[] {
  if (film.secondSize === undefined) return [film];
  const middle = film.timesMs.length >> 1;
  return [
    { ...film, timesMs: film.timesMs.slice(0, middle) },
    { ...film, ...film.secondSize, timesMs: film.timesMs.slice(middle) },
  ];
}

async function* encodedPackets(encoder: CodecContext, film: MadeFilm, packet: Packet): AsyncGenerator<void> {
  for (let i = 0; i <= film.timesMs.length; i += 1) {
    using frame = i < film.timesMs.length ? drawFrame(film, i) : null;
    FFmpegError.throwIfError(await encoder.sendFrame(frame), 'encode');
    for (;;) {
      const status = await encoder.receivePacket(packet);
      if (status === AVERROR_EAGAIN || status === AVERROR_EOF) break;
      FFmpegError.throwIfError(status, 'encode');
      yield;
    }
  }
}

function openEncoder(film: MadeFilm): CodecContext {
  const { codec, width, height, container, pixelAspect } = film;
  return openCodec(Codec.findEncoderByName(encoders[codec]), (context) => {
    context.width = width;
    context.height = height;
    nameColours(context, film);
    context.timeBase = timeBase;
    context.bitRate = 4_000_000n;
    context.gopSize = 12;
    context.threadCount = 1;
    if (pixelAspect !== undefined) context.sampleAspectRatio = new Rational(...pixelAspect);
    if (container !== 'webm' && container !== 'avi') context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
    setOptions(context, { ...quickly[codec], ...film.encoder });
  });
}

const quickly = {
  h264: { preset: 'ultrafast', crf: 12 },
  // Without reordered frames: x265 gives a film of fewer frames than it may reorder a decoding time that it never set.
  hevc: { preset: 'ultrafast', 'x265-params': 'log-level=none:crf=12:pools=1:frame-threads=1:bframes=0' },
  vp8: { deadline: 'realtime', 'cpu-used': 8, crf: 8 },
  vp9: { deadline: 'realtime', 'cpu-used': 8, crf: 8 },
  mjpeg: {},
  mpeg4: {},
} as const;

const matrices = { bt601: AVCOL_SPC_SMPTE170M, bt709: AVCOL_SPC_BT709, full: AVCOL_SPC_SMPTE170M, unnamed: AVCOL_SPC_UNSPECIFIED } as const;

function nameColours(context: CodecContext, { codec, colours = 'bt601' }: MadeFilm): void {
  context.pixelFormat = codec === 'mjpeg' ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P;
  context.colorRange = colours === 'full' || codec === 'mjpeg' ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  context.colorSpace = matrices[colours];
}

function videoStream(format: FormatContext, encoder: CodecContext, { turnDegrees = 0, pixelAspect }: MadeFilm): Stream {
  const stream = format.newStream();
  FFmpegError.throwIfError(stream.codecpar.fromContext(encoder), 'make a film');
  stream.timeBase = timeBase;
  if (pixelAspect !== undefined) stream.sampleAspectRatio = new Rational(...pixelAspect);
  if (turnDegrees !== 0) stream.codecpar.addCodedSideData(AV_PKT_DATA_DISPLAYMATRIX, displayMatrix(turnDegrees));
  return stream;
}

function displayMatrix(degrees: number): Buffer {
  const cos = Math.round(Math.cos((degrees * Math.PI) / 180));
  const sin = Math.round(Math.sin((degrees * Math.PI) / 180));
  const bytes = Buffer.alloc(36);
  [cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30].forEach((value, i) => {
    bytes.writeInt32LE(value, i * 4);
  });
  return bytes;
}

function soundStream(format: FormatContext): Stream {
  const stream = format.newStream();
  const { codecpar } = stream;
  codecpar.codecType = AVMEDIA_TYPE_AUDIO;
  codecpar.codecId = AV_CODEC_ID_OPUS;
  codecpar.sampleRate = 48_000;
  codecpar.channelLayout = AV_CHANNEL_LAYOUT_MONO;
  codecpar.frameSize = 960;
  // RFC 7845 section 5.1.
  codecpar.extradata = Buffer.from('OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00', 'latin1');
  stream.timeBase = new Rational(1, 48_000);
  return stream;
}

async function writeSound(format: FormatContext, stream: Stream, ms: number): Promise<void> {
  using opus = createOpusEncoder({ bps: 24_000 });
  using packet = new Packet();
  packet.alloc();
  for (let at = 0; at < ms; at += 20) {
    packet.data = Buffer.from(opus.encode(new Int16Array(960)));
    packet.streamIndex = stream.index;
    packet.pts = packet.dts = BigInt(at * 48);
    packet.duration = 960n;
    packet.rescaleTs({ num: 1, den: 48_000 }, stream.timeBase);
    FFmpegError.throwIfError(await format.interleavedWriteFrame(packet), 'make a film');
  }
}

function drawFrame(film: MadeFilm, index: number): Frame {
  const { width, height, codec, colours } = film;
  const frame = new Frame();
  frame.alloc();
  frame.width = width;
  frame.height = height;
  frame.format = codec === 'mjpeg' ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P;
  FFmpegError.throwIfError(frame.getBuffer(), 'draw a frame');
  const picture = drawnPlanes(film, (film.luma ?? ((i: number) => 16 + ((i * 8) % 216)))(index));
  FFmpegError.throwIfError(frame.fromBuffer(Buffer.from(picture)), 'draw a frame');
  if (colours === 'full') frame.colorRange = AVCOL_RANGE_JPEG;
  frame.pts = BigInt(Math.round(film.timesMs[index] ?? 0));
  return frame;
}

/** Until the next frame; the last one lasts as long as the one before it. */
function lastsMs({ timesMs }: MadeFilm, atMs: number): number {
  const times = timesMs.map(Math.round);
  const next = Math.min(Math.max(1, times.indexOf(atMs) + 1), times.length - 1);
  return times.length < 2 ? 40 : (times[next] ?? 0) - (times[next - 1] ?? 0);
}

/** Four quarters, and in the middle a grey square a third as high as the picture. */
function drawnPlanes({ width, height, colours, codec }: MadeFilm, luma: number): Uint8Array {
  const halfWidth = (width + 1) >> 1;
  const halfHeight = (height + 1) >> 1;
  const planes = new Uint8Array(width * height + 2 * halfWidth * halfHeight);
  const full = colours === 'full' || codec === 'mjpeg';
  const values = quarters.map((rgb) => yuvOf(rgb, colours === 'bt709', full));
  const reach = height / 6;
  const middle = (x: number, y: number): boolean => Math.abs(x - width / 2) < reach && Math.abs(y - height / 2) < reach;
  const value = (x: number, y: number, channel: 0 | 1 | 2): number => {
    if (middle(x, y)) return channel === 0 ? luma : 128;
    return values[(y >= height / 2 ? 2 : 0) + (x >= width / 2 ? 1 : 0)]?.[channel] ?? 0;
  };
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) planes[y * width + x] = value(x, y, 0);
  for (const channel of [1, 2] as const) {
    const start = width * height + (channel - 1) * halfWidth * halfHeight;
    for (let y = 0; y < halfHeight; y += 1)
      for (let x = 0; x < halfWidth; x += 1) planes[start + y * halfWidth + x] = value(x * 2, y * 2, channel);
  }
  return planes;
}

/** ITU-R BT.601 or BT.709; video range or full. */
export function yuvOf([r, g, b]: Rgb, bt709: boolean, full: boolean): [number, number, number] {
  const [kr, kb] = bt709 ? [0.2126, 0.0722] : [0.299, 0.114];
  const y = kr * r + (1 - kr - kb) * g + kb * b;
  const u = (b - y) / (2 * (1 - kb));
  const v = (r - y) / (2 * (1 - kr));
  const [scale, offset, chroma] = full ? [1, 0, 1] : [219 / 255, 16, 224 / 255];
  return [Math.round(y * scale + offset), Math.round(u * chroma + 128), Math.round(v * chroma + 128)];
}

/** Times of a film of constant rate. */
export function steady(frames: number, fps: number): number[] {
  return Array.from({ length: frames }, (_, i) => (i * 1000) / fps);
}

/** Sound without pictures. */
export async function makeSound({ path, container, ms }: { path: string; container: 'mp4' | 'webm'; ms: number }): Promise<void> {
  const format = new FormatContext();
  FFmpegError.throwIfError(format.allocOutputContext2(null, container, path), 'make a sound');
  try {
    const stream = soundStream(format);
    FFmpegError.throwIfError(await format.openOutput(), 'make a sound');
    FFmpegError.throwIfError(await format.writeHeader(), 'make a sound');
    await writeSound(format, stream, ms);
    FFmpegError.throwIfError(await format.writeTrailer(), 'make a sound');
  } finally {
    await format.closeOutput();
    format.freeContext();
  }
}
