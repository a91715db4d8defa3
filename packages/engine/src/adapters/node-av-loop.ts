import {
  AV_CODEC_FLAG_BITEXACT,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_PIX_FMT_YUV420P,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_SMPTE170M,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  FF_DECODER_H264,
  FF_ENCODER_LIBX264,
} from 'node-av/constants';
import { Codec, type CodecContext, FFmpegError, Frame, Packet, Rational } from 'node-av/lib';
import { type EncodedFrame, framesPerSecond } from '../media/ports.ts';
import { openCodec, setOptions } from './node-av-context.ts';
import { packTrack, unpackTrack } from './node-av-matroska.ts';

/** Frames of one size, kept on disk: H.264 so fine that nobody sees a difference, one thread, the same bytes every time. */
export interface LoopWriter extends Disposable {
  /** `size * size * 3 / 2` bytes of I420. */
  add(i420: Uint8Array): Promise<void>;
  /** The file. */
  finish(): Promise<Uint8Array>;
}

/** Constant quantiser of x264: 46 dB and more, which nobody sees, in a twentieth of the raw size even of a noisy camera. */
const quantiser = 15;

export function createLoopWriter(size: number): LoopWriter {
  const context = openCodec(Codec.findEncoderByName(FF_ENCODER_LIBX264), (encoder) => {
    encoder.width = size;
    encoder.height = size;
    encoder.pixelFormat = AV_PIX_FMT_YUV420P;
    encoder.colorRange = AVCOL_RANGE_MPEG;
    encoder.colorSpace = AVCOL_SPC_SMPTE170M;
    encoder.timeBase = new Rational(1, framesPerSecond);
    encoder.framerate = new Rational(framesPerSecond, 1);
    encoder.threadCount = 1;
    // Frames are only ever read in order, from the first.
    encoder.gopSize = 1_000_000;
    encoder.maxBFrames = 0;
    encoder.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER, AV_CODEC_FLAG_BITEXACT);
    setOptions(encoder, { preset: 'superfast', tune: 'zerolatency', qp: quantiser, 'x264-params': 'scenecut=0:sliced-threads=0' });
  });
  const frame = new Frame();
  frame.alloc();
  frame.width = size;
  frame.height = size;
  frame.format = AV_PIX_FMT_YUV420P;
  FFmpegError.throwIfError(frame.getBuffer(), 'allocate a frame');
  // The frame points to it from then on: node-av 6.1.1 does not copy.
  const picture = Buffer.alloc((size * size * 3) / 2);
  const packet = new Packet();
  packet.alloc();
  const frames: EncodedFrame[] = [];

  return {
    async add(i420) {
      FFmpegError.throwIfError(frame.makeWritable(), 'reuse a frame');
      picture.set(i420);
      FFmpegError.throwIfError(frame.fromBuffer(picture), 'fill a frame');
      frame.pts = BigInt(frames.length);
      FFmpegError.throwIfError(await context.sendFrame(frame), 'encode a frame');
      FFmpegError.throwIfError(context.receivePacketSync(packet), 'encode a frame');
      frames.push({ data: Uint8Array.from(packet.data ?? []), key: packet.isKeyframe });
      packet.unref();
    },
    finish() {
      const parameters = Uint8Array.from(context.extraData ?? []);
      return packTrack('matroska', { codec: 'H264', width: size, height: size, parameters, frames });
    },
    [Symbol.dispose]() {
      packet.free();
      frame.free();
      context.freeContext();
    },
  };
}

/** The frames of such a file as I420, each good until the next is asked for. Decodes in libuv's thread pool. */
export async function* readLoop(file: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  const { parameters, frames } = await unpackTrack(file);
  const decoder = openCodec(Codec.findDecoderByName(FF_DECODER_H264), (context) => {
    context.threadCount = 1;
    context.extraData = Buffer.from(parameters ?? []);
  });
  using packet = new Packet();
  packet.alloc();
  using frame = new Frame();
  frame.alloc();
  try {
    for (const encoded of [...frames, null]) {
      if (encoded !== null) packet.data = Buffer.from(encoded.data);
      FFmpegError.throwIfError(await decoder.sendPacket(encoded === null ? null : packet), 'decode a frame');
      packet.unref();
      while (await received(decoder, frame)) {
        yield bytesOf(frame, size);
        frame.unref();
      }
    }
  } finally {
    decoder.freeContext();
  }
}

/** False: the decoder wants more, or has no more. */
async function received(decoder: CodecContext, frame: Frame): Promise<boolean> {
  const status = await decoder.receiveFrame(frame);
  if (status === AVERROR_EAGAIN || status === AVERROR_EOF) return false;
  FFmpegError.throwIfError(status, 'decode a frame');
  return true;
}

function bytesOf(frame: Frame, size: number): Uint8Array {
  if (frame.width !== size || frame.height !== size || frame.format !== AV_PIX_FMT_YUV420P)
    throw new TypeError('a frame is of another form');
  return frame.toBuffer();
}
