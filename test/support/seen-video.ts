import { AV_CODEC_FLAG_LOW_DELAY, AV_CODEC_ID_H264, AV_CODEC_ID_VP8, AVERROR_EAGAIN } from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Packet } from 'node-av/lib';
import type { EncodedFrame, VideoCodec } from '../../packages/engine/src/media/ports.ts';

/** What a viewer sees: encoded frames in, I420 pictures out. Throws where a viewer's decoder would stumble. */
export interface VideoDecoder extends Disposable {
  decode(frame: EncodedFrame): Uint8Array;
}

export function createVideoDecoder(codec: VideoCodec): VideoDecoder {
  const decoder = Codec.findDecoder(codec === 'VP8' ? AV_CODEC_ID_VP8 : AV_CODEC_ID_H264);
  const context = new CodecContext();
  context.allocContext3(decoder);
  context.threadCount = 1;
  context.setFlags(AV_CODEC_FLAG_LOW_DELAY);
  FFmpegError.throwIfError(context.open2Sync(decoder), 'open decoder');
  const packet = new Packet();
  packet.alloc();
  const frame = new Frame();
  frame.alloc();
  return {
    decode({ data }) {
      packet.data = Buffer.from(data);
      FFmpegError.throwIfError(context.sendPacketSync(packet), 'decode video');
      packet.unref();
      const status = context.receiveFrameSync(frame);
      if (status === AVERROR_EAGAIN) throw new Error('the decoder shows nothing for this frame');
      FFmpegError.throwIfError(status, 'decode video');
      const picture = Uint8Array.from(frame.toBuffer());
      frame.unref();
      return picture;
    },
    [Symbol.dispose]() {
      frame.free();
      packet.free();
      context.freeContext();
    },
  };
}

/** Likeness of two pictures (or planes) of one size, dB; Infinity when equal. From 30 on, people see no jump. */
export function psnr(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) throw new RangeError(`pictures of different sizes: ${a.length} and ${b.length}`);
  let squared = 0;
  for (let i = 0; i < a.length; i += 1) squared += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return 10 * Math.log10((255 * 255 * a.length) / squared);
}
