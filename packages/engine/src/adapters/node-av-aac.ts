import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_CODEC_FLAG_BITEXACT,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_SAMPLE_FMT_FLTP,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  FF_ENCODER_AAC,
} from 'node-av/constants';
import { Codec, type CodecContext, FFmpegError, Frame, Packet, Rational } from 'node-av/lib';
import { playoutRate } from '../media/ports.ts';
import { openCodec } from './node-av-context.ts';

/** AAC-LC in 1024 samples a packet (ISO/IEC 14496-3). */
const frameSamples = 1_024;
/** Nobody hears a difference in a voice. */
const voiceBps = 64_000;

/** FFmpeg's own AAC encoder, mono at `playoutRate`: the same samples give the same packets. */
export interface AacEncoder extends Disposable {
  readonly context: CodecContext;
  /** Any number of samples; the packets that they complete, each good until the next is asked for. */
  encode(samples: Int16Array): Iterable<Packet>;
  /** The rest; nothing can be encoded after it. */
  finish(): Iterable<Packet>;
}

export function createAacEncoder(): AacEncoder {
  const context = openCodec(Codec.findEncoderByName(FF_ENCODER_AAC), (aac) => {
    aac.sampleRate = playoutRate;
    aac.channelLayout = AV_CHANNEL_LAYOUT_MONO;
    aac.sampleFormat = AV_SAMPLE_FMT_FLTP;
    aac.timeBase = new Rational(1, playoutRate);
    aac.bitRate = BigInt(voiceBps);
    aac.threadCount = 1;
    aac.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER, AV_CODEC_FLAG_BITEXACT);
  });
  const packet = new Packet();
  packet.alloc();
  const waiting = new Float32Array(frameSamples);
  let filled = 0;
  let pts = 0n;

  function* encodeFrame(): Generator<Packet, void, undefined> {
    using frame = frameOf(waiting.subarray(0, filled), pts);
    pts += BigInt(filled);
    filled = 0;
    FFmpegError.throwIfError(context.sendFrameSync(frame), 'encode AAC');
    yield* received(context, packet);
  }

  return {
    context,
    *encode(samples) {
      for (let at = 0; at < samples.length; ) {
        const some = samples.subarray(at, at + frameSamples - filled);
        for (const sample of some) waiting[filled++] = sample / 32_768;
        at += some.length;
        if (filled === frameSamples) yield* encodeFrame();
      }
    },
    *finish() {
      if (filled > 0) yield* encodeFrame();
      FFmpegError.throwIfError(context.sendFrameSync(null), 'encode AAC');
      yield* received(context, packet);
    },
    [Symbol.dispose]() {
      packet.free();
      context.freeContext();
    },
  };
}

function frameOf(samples: Float32Array, pts: bigint): Frame {
  const frame = new Frame();
  frame.alloc();
  frame.nbSamples = samples.length;
  frame.format = AV_SAMPLE_FMT_FLTP;
  frame.sampleRate = playoutRate;
  frame.channelLayout = AV_CHANNEL_LAYOUT_MONO;
  frame.pts = pts;
  FFmpegError.throwIfError(frame.getBuffer(), 'allocate audio frame');
  FFmpegError.throwIfError(frame.fromBuffer(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)), 'fill audio frame');
  return frame;
}

function* received(context: CodecContext, packet: Packet): Generator<Packet, void, undefined> {
  for (;;) {
    const status = context.receivePacketSync(packet);
    if (status === AVERROR_EAGAIN || status === AVERROR_EOF) return;
    FFmpegError.throwIfError(status, 'encode AAC');
    yield packet;
    packet.unref();
  }
}
