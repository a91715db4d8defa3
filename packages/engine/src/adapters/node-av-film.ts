import {
  AV_CODEC_ID_AV1,
  AV_CODEC_ID_H264,
  AV_CODEC_ID_HEVC,
  AV_CODEC_ID_VP8,
  AV_CODEC_ID_VP9,
  AV_DISPOSITION_ATTACHED_PIC,
  AV_DISPOSITION_DEFAULT,
  AV_NOPTS_VALUE,
  AV_PKT_DATA_DISPLAYMATRIX,
  AV_PKT_FLAG_CORRUPT,
  AV_PKT_FLAG_DISCARD,
  type AVCodecID,
  AVDISCARD_ALL,
  AVERROR_EOF,
  AVFMT_FLAG_CUSTOM_IO,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_VIDEO,
  FF_DECODER_H264,
  FF_DECODER_HEVC,
  FF_DECODER_LIBDAV1D,
  FF_DECODER_VP8,
  FF_DECODER_VP9,
  type FFVideoDecoder,
} from 'node-av/constants';
import { Codec, type CodecContext, Dictionary, FormatContext, InputFormat, type IOContext, Packet, type Stream } from 'node-av/lib';
import { type ClipLimits, ClipRefused, checkSize } from '../avatar/source/clip.ts';
import { checkIndex } from '../avatar/source/iso-index.ts';
import { type Turn, turnOfMatrix, upright } from '../avatar/source/upright.ts';
import { type ClipFile, readingContext } from './node-av-clip-file.ts';
import { openCodec, setOptions } from './node-av-context.ts';

/** A film's picture track, taken out of its container. Nothing is decoded but that one track. */
export interface Film extends AsyncDisposable {
  readonly turn: Turn;
  /** Width of a stored pixel over its height; 0: the container does not say. */
  readonly pixelAspect: number;
  /** VP8 has one colour matrix and does not name it. */
  readonly isVp8: boolean;
  /** Length of a timestamp's unit, ms. */
  readonly unitMs: number;
  readonly decoder: CodecContext;
  /** The next packet of the track, good until the next call; null at the end. */
  read(): Promise<FilmPacket | null>;
}

export interface FilmPacket {
  readonly packet: Packet;
  /** ms; null: not said. */
  readonly atMs: number | null;
  readonly lastsMs: number;
  /** Not shown: cut away by an edit list, and only needed to decode what follows. */
  readonly hidden: boolean;
  readonly corrupt: boolean;
}

/** The decoders that may see a stranger's bytes, by name: FFmpeg's own choice could be a device's. */
const decoders: ReadonlyMap<AVCodecID, FFVideoDecoder> = new Map<AVCodecID, FFVideoDecoder>([
  [AV_CODEC_ID_H264, FF_DECODER_H264],
  [AV_CODEC_ID_HEVC, FF_DECODER_HEVC],
  [AV_CODEC_ID_VP8, FF_DECODER_VP8],
  [AV_CODEC_ID_VP9, FF_DECODER_VP9],
  [AV_CODEC_ID_AV1, FF_DECODER_LIBDAV1D],
]);

/** A decoder refuses to allocate larger pictures; it rounds sizes up to its blocks. */
const blockAllowance = 1.25;

/** Throws `ClipRefused`. */
export async function openFilm(file: ClipFile, limits: ClipLimits, signal: AbortSignal): Promise<Film> {
  if (file.container === 'mp4') checkIndex(file.read, file.bytes);
  const input = await openInput(file, signal);
  try {
    const stream = chooseStream(input.format);
    checkSize(stream.codecpar, limits, false);
    if (stream.timeBase.num < 1 || stream.timeBase.den < 1) throw new ClipRefused('damaged');
    for (const other of input.format.streams) if (other.index !== stream.index) other.discard = AVDISCARD_ALL;
    return filmOf(input, stream, openDecoder(stream, limits));
  } catch (error) {
    await closeInput(input);
    throw error;
  }
}

interface Input {
  readonly format: FormatContext;
  readonly io: IOContext;
}

/**
 * The demuxer is named, by what the file holds, so that FFmpeg guesses nothing. Stream information is what the container says: FFmpeg's own
 * search for more would decode a piece of every track with whatever decoder the file asks for.
 */
async function openInput(file: ClipFile, signal: AbortSignal): Promise<Input> {
  const input = { format: new FormatContext(), io: readingContext(file, signal) };
  // Nothing can be opened but what is open. The lists are for the case that a demuxer tries.
  const options: Record<string, string> = { protocol_whitelist: 'none', max_streams: '64' };
  if (file.container === 'mp4') Object.assign(options, { enable_drefs: '0', use_absolute_path: '0', ignore_chapters: '1' });
  const dictionary = Dictionary.fromObject(options);
  try {
    input.format.allocContext();
    input.format.pb = input.io;
    input.format.setFlags(AVFMT_FLAG_CUSTOM_IO);
    const demuxer = InputFormat.findInputFormat(file.container === 'mp4' ? 'mov' : 'matroska');
    if (demuxer === null) throw new TypeError('this build of FFmpeg lacks a demuxer');
    const status = await input.format.openInput('', demuxer, dictionary);
    signal.throwIfAborted();
    if (status < 0) throw new ClipRefused('damaged');
    return input;
  } catch (error) {
    await closeInput(input);
    throw error;
  } finally {
    dictionary.free();
  }
}

/** In this order: the context would read on while it closes. */
async function closeInput({ format, io }: Input): Promise<void> {
  format.pb = null;
  await format.closeInput();
  io.freeContext();
}

/** The first picture track that the file itself prefers; a cover picture is none. */
function chooseStream(format: FormatContext): Stream {
  const videos = format.streams.filter(
    ({ codecpar, disposition }) => codecpar.codecType === AVMEDIA_TYPE_VIDEO && (disposition & AV_DISPOSITION_ATTACHED_PIC) === 0,
  );
  if (videos.length === 0) {
    const isSound = format.streams.some(({ codecpar }) => codecpar.codecType === AVMEDIA_TYPE_AUDIO);
    throw new ClipRefused(isSound ? 'not_a_video' : 'damaged');
  }
  const readable = videos.filter(({ codecpar }) => decoders.has(codecpar.codecId));
  const chosen = readable.find(({ disposition }) => (disposition & AV_DISPOSITION_DEFAULT) !== 0) ?? readable[0];
  if (chosen === undefined) throw new ClipRefused('format_not_supported');
  return chosen;
}

function openDecoder(stream: Stream, limits: ClipLimits): CodecContext {
  const name = decoders.get(stream.codecpar.codecId);
  const codec = name === undefined ? null : Codec.findDecoderByName(name);
  if (codec === null) throw new ClipRefused('format_not_supported');
  try {
    return openCodec(codec, (context) => {
      if (context.parametersToContext(stream.codecpar) < 0) throw new ClipRefused('damaged');
      context.threadCount = 1;
      context.pktTimebase = stream.timeBase;
      setOptions(context, { max_pixels: Math.round(limits.maxPixels * blockAllowance) });
    });
  } catch {
    // The decoder is there: what it does not take is the file's description of itself.
    throw new ClipRefused('damaged');
  }
}

function filmOf(input: Input, stream: Stream, decoder: CodecContext): Film {
  const packet = new Packet();
  packet.alloc();
  const { num, den } = stream.timeBase;
  const unitMs = (num / den) * 1000;
  const pixelAspect = stream.sampleAspectRatio;
  return {
    turn: turnOf(stream),
    pixelAspect: pixelAspect.num > 0 && pixelAspect.den > 0 ? pixelAspect.num / pixelAspect.den : 0,
    isVp8: stream.codecpar.codecId === AV_CODEC_ID_VP8,
    unitMs,
    decoder,
    async read() {
      for (;;) {
        packet.unref();
        const status = await input.format.readFrame(packet);
        if (status === AVERROR_EOF) return null;
        // What follows a broken place cannot be found again; what came before it counts.
        if (status < 0) return null;
        if (packet.streamIndex === stream.index) return described(packet, unitMs);
      }
    },
    async [Symbol.asyncDispose]() {
      packet.free();
      decoder.freeContext();
      await closeInput(input);
    },
  };
}

function described(packet: Packet, unitMs: number): FilmPacket {
  const stamp = packet.pts === AV_NOPTS_VALUE ? packet.dts : packet.pts;
  return {
    packet,
    atMs: stamp === AV_NOPTS_VALUE ? null : Number(stamp) * unitMs,
    lastsMs: Number(packet.duration) * unitMs,
    hidden: (packet.flags & AV_PKT_FLAG_DISCARD) !== 0,
    corrupt: (packet.flags & AV_PKT_FLAG_CORRUPT) !== 0,
  };
}

function turnOf(stream: Stream): Turn {
  const matrix = stream.codecpar.getCodedSideData(AV_PKT_DATA_DISPLAYMATRIX);
  if (matrix === null || matrix.length < 36) return upright;
  // FFmpeg keeps it in the machine's byte order; all that Node runs on with this build are little endian.
  return turnOfMatrix(Array.from({ length: 9 }, (_, i) => matrix.readInt32LE(i * 4)));
}
