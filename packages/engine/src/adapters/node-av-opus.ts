import { AV_CHANNEL_LAYOUT_MONO, AV_SAMPLE_FMT_S16, AVERROR_EAGAIN, FF_DECODER_LIBOPUS, FF_ENCODER_LIBOPUS } from 'node-av/constants';
import { Codec, type CodecContext, FFmpegError, Frame, Packet, Rational } from 'node-av/lib';
import { type AudioDecoder, type AudioEncoder, playoutRate } from '../media/ports.ts';
import { openCodec, setOptions } from './node-av-context.ts';

/** 20 ms at 48 kHz. */
const frameSamples = 960;

/** libopus for speech. Synchronous: a frame takes a fraction of a millisecond. */
export function createOpusEncoder({ bps }: { readonly bps: number }): AudioEncoder {
  const context = openCodec(Codec.findEncoderByName(FF_ENCODER_LIBOPUS), (opus) => {
    asMono(opus);
    opus.bitRate = BigInt(bps);
    opus.timeBase = new Rational(1, playoutRate);
    // In-band FEC is only written when loss is expected, so 10 % is always expected. The usual effort, 10, takes twice as long.
    setOptions(opus, { application: 'voip', frame_duration: 20, fec: 1, packet_loss: 10, vbr: 'constrained', compression_level: 5 });
  });
  const frame = new Frame();
  frame.alloc();
  frame.nbSamples = frameSamples;
  frame.format = AV_SAMPLE_FMT_S16;
  frame.sampleRate = playoutRate;
  frame.channelLayout = AV_CHANNEL_LAYOUT_MONO;
  FFmpegError.throwIfError(frame.getBuffer(), 'allocate audio frame');
  const packet = new Packet();
  packet.alloc();
  let pts = 0n;
  return {
    encode(samples) {
      if (samples.length !== frameSamples) throw new RangeError(`a frame has ${frameSamples} samples, not ${samples.length}`);
      FFmpegError.throwIfError(frame.makeWritable(), 'reuse audio frame');
      FFmpegError.throwIfError(frame.fromBuffer(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)), 'fill audio frame');
      frame.pts = pts;
      pts += BigInt(frameSamples);
      FFmpegError.throwIfError(context.sendFrameSync(frame), 'encode Opus');
      FFmpegError.throwIfError(context.receivePacketSync(packet), 'encode Opus');
      const bytes = Uint8Array.from(packet.data ?? []);
      packet.unref();
      return bytes;
    },
    [Symbol.dispose]() {
      packet.free();
      frame.free();
      context.freeContext();
    },
  };
}

/** libopus, downmixed to mono. A lost packet is concealed by libopus's own extrapolation. */
export function createOpusDecoder(): AudioDecoder {
  const context = openCodec(Codec.findDecoderByName(FF_DECODER_LIBOPUS), asMono);
  const frame = new Frame();
  frame.alloc();
  const packet = new Packet();
  packet.alloc();
  /** Configuration of the last good packet: 20 ms of wide-band speech before the first (RFC 6716 section 3.1). */
  let config = 9 << 3;
  return {
    decode(bytes) {
      if (bytes !== null && bytes.length === 0) throw new RangeError('an Opus packet has at least one byte');
      // To libopus a frame of no bytes is a lost one (RFC 6716 section 3.2.1); FFmpeg passes no other sign of loss on.
      packet.data = Buffer.from(bytes ?? [config]);
      try {
        FFmpegError.throwIfError(context.sendPacketSync(packet), 'decode Opus');
      } finally {
        packet.unref();
      }
      if (bytes !== null) config = (bytes[0] ?? 0) & 0b1111_1000;
      return receive(context, frame);
    },
    [Symbol.dispose]() {
      packet.free();
      frame.free();
      context.freeContext();
    },
  };
}

function receive(context: CodecContext, frame: Frame): Int16Array {
  const status = context.receiveFrameSync(frame);
  if (status === AVERROR_EAGAIN) return new Int16Array(0);
  FFmpegError.throwIfError(status, 'decode Opus');
  const plane = frame.data?.[0];
  const samples = new Int16Array(frame.nbSamples);
  if (plane !== undefined) Buffer.from(samples.buffer).set(plane.subarray(0, samples.byteLength));
  frame.unref();
  return samples;
}

function asMono(context: CodecContext): void {
  context.sampleRate = playoutRate;
  context.channelLayout = AV_CHANNEL_LAYOUT_MONO;
  context.sampleFormat = AV_SAMPLE_FMT_S16;
}
