import {
  AV_CODEC_ID_H264,
  AV_CODEC_ID_VP8,
  AV_NOPTS_VALUE,
  AVERROR_EOF,
  AVFMT_FLAG_BITEXACT,
  AVFMT_FLAG_CUSTOM_IO,
  AVMEDIA_TYPE_VIDEO,
  AVSEEK_CUR,
  AVSEEK_END,
  AVSEEK_SIZE,
} from 'node-av/constants';
import { Dictionary, FFmpegError, FormatContext, InputFormat, IOContext, Packet, Rational } from 'node-av/lib';
import { type EncodedFrame, framesPerSecond, type VideoCodec } from '../media/ports.ts';

/** One picture track at 25 fps, every frame of which is shown, in order. */
export interface Track {
  readonly codec: VideoCodec;
  /** px */
  readonly width: number;
  readonly height: number;
  /** What a decoder needs before the first frame; null: nothing. */
  readonly parameters: Uint8Array | null;
  readonly frames: readonly EncodedFrame[];
}

/** FFmpeg's buffer for reading and writing. */
const bufferBytes = 128 * 1024;
const codecIds = { VP8: AV_CODEC_ID_VP8, H264: AV_CODEC_ID_H264 } as const;

/** The file, in memory. The same track gives the same bytes: no date, no random identifier, no version of FFmpeg. */
export async function packTrack(container: 'webm' | 'matroska', track: Track): Promise<Uint8Array> {
  const file = new GrowingBytes();
  const io = new IOContext();
  io.allocContextWithCallbacks(
    bufferBytes,
    1,
    null,
    (piece) => file.write(piece),
    (offset, whence) => file.seek(Number(offset), whence),
  );
  const format = new FormatContext();
  using packet = new Packet();
  packet.alloc();
  try {
    FFmpegError.throwIfError(format.allocOutputContext2(null, container, null), 'open a muxer');
    format.pb = io;
    format.setFlags(AVFMT_FLAG_CUSTOM_IO, AVFMT_FLAG_BITEXACT);
    describe(format, track);
    FFmpegError.throwIfError(await format.writeHeader(), 'write a header');
    const unit = format.streams[0]?.timeBase ?? new Rational(1, 1000);
    for (const [i, { data, key }] of track.frames.entries()) {
      packet.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      packet.isKeyframe = key;
      packet.streamIndex = 0;
      packet.pts = BigInt(i);
      packet.dts = BigInt(i);
      packet.duration = 1n;
      packet.rescaleTs(frameTime, unit);
      FFmpegError.throwIfError(await format.writeFrame(packet), 'write a frame');
      packet.unref();
    }
    FFmpegError.throwIfError(await format.writeTrailer(), 'finish a file');
    await io.flush();
    return file.bytes();
  } finally {
    format.pb = null;
    format.freeContext();
    io.freeContext();
  }
}

const frameTime = { num: 1, den: framesPerSecond };

function describe(format: FormatContext, { codec, width, height, parameters }: Track): void {
  const stream = format.newStream();
  stream.timeBase = new Rational(1, framesPerSecond);
  stream.avgFrameRate = new Rational(framesPerSecond, 1);
  const { codecpar } = stream;
  codecpar.codecType = AVMEDIA_TYPE_VIDEO;
  codecpar.codecId = codecIds[codec];
  codecpar.width = width;
  codecpar.height = height;
  if (parameters !== null) codecpar.extradata = Buffer.from(parameters);
}

/** A file that a muxer writes, goes back in and corrects. */
class GrowingBytes {
  #bytes = Buffer.alloc(1024 * 1024);
  #length = 0;
  #position = 0;

  write(piece: Buffer): number {
    const end = this.#position + piece.length;
    if (end > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], Math.max(end, 2 * this.#bytes.length));
    this.#bytes.set(piece, this.#position);
    this.#position = end;
    this.#length = Math.max(this.#length, end);
    return piece.length;
  }

  seek(offset: number, whence: number): bigint {
    if (whence === AVSEEK_SIZE) return BigInt(this.#length);
    const from = whence === AVSEEK_CUR ? this.#position : whence === AVSEEK_END ? this.#length : 0;
    this.#position = from + offset;
    return BigInt(this.#position);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes.subarray(0, this.#length));
  }
}

/** What `packTrack` packed. For files of this engine's own making, whose hash is known: it is no guard against a stranger's. */
export async function unpackTrack(bytes: Uint8Array): Promise<Track> {
  const format = new FormatContext();
  const io = readingContext(bytes);
  using packet = new Packet();
  packet.alloc();
  const options = Dictionary.fromObject({ protocol_whitelist: 'none' });
  try {
    format.allocContext();
    format.pb = io;
    format.setFlags(AVFMT_FLAG_CUSTOM_IO);
    FFmpegError.throwIfError(await format.openInput('', InputFormat.findInputFormat('matroska'), options), 'open a file');
    const [stream] = format.streams;
    const codec = stream?.codecpar.codecId === AV_CODEC_ID_VP8 ? 'VP8' : stream?.codecpar.codecId === AV_CODEC_ID_H264 ? 'H264' : null;
    if (stream === undefined || codec === null) throw new TypeError('the file holds no track of ours');
    const frames: EncodedFrame[] = [];
    for (;;) {
      const status = await format.readFrame(packet);
      if (status === AVERROR_EOF) break;
      FFmpegError.throwIfError(status, 'read a frame');
      if (packet.pts === AV_NOPTS_VALUE) throw new TypeError('a frame has no time');
      frames.push({ data: Uint8Array.from(packet.data ?? []), key: packet.isKeyframe });
      packet.unref();
    }
    const { width, height, extradata } = stream.codecpar;
    return { codec, width, height, parameters: extradata === null ? null : Uint8Array.from(extradata), frames };
  } finally {
    options.free();
    format.pb = null;
    await format.closeInput();
    io.freeContext();
  }
}

function readingContext(bytes: Uint8Array): IOContext {
  let position = 0;
  const io = new IOContext();
  io.allocContextWithCallbacks(
    bufferBytes,
    0,
    (size) => {
      const piece = bytes.subarray(position, position + size);
      position += piece.length;
      return piece.length === 0 ? null : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    },
    null,
    (offset, whence) => {
      if (whence === AVSEEK_SIZE) return BigInt(bytes.length);
      const from = whence === AVSEEK_CUR ? position : whence === AVSEEK_END ? bytes.length : 0;
      position = Math.max(0, Math.min(from + Number(offset), bytes.length));
      return BigInt(position);
    },
  );
  return io;
}
