import {
  AV_PICTURE_TYPE_I,
  AV_PICTURE_TYPE_NONE,
  AV_PIX_FMT_YUV420P,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_SMPTE170M,
  FF_ENCODER_LIBVPX_VP8,
  FF_ENCODER_LIBX264,
} from 'node-av/constants';
import { Codec, type CodecContext, FFmpegError, Frame, Packet, Rational } from 'node-av/lib';
import { type EncodedFrame, framesPerSecond, type VideoCodec, type VideoEncoder } from '../media/ports.ts';
import { openCodec, setOptions } from './node-av-context.ts';

export interface VideoFormat {
  readonly codec: VideoCodec;
  /** Even, px. */
  readonly width: number;
  /** Even, px. */
  readonly height: number;
  /** At most, bits a second; a drawn face needs less most of the time. */
  readonly bps: number;
  /** `live`: the least CPU per frame. `once`: the fewest bytes, for what is encoded once and sent many times. */
  readonly effort: 'live' | 'once';
}

/** Finer quantisation than this cannot be seen in a drawn face (43 dB); libvpx counts to 63, x264 to 51. */
const finestQuantiser = { VP8: 28, H264: 24 } as const;
/** Coarser than this shows as blocks around a mouth that has just begun to move; only a poor network is worth that. */
const coarsestQuantiser = { VP8: 40, H264: 32 } as const;
const coarsestWhenPoor = { VP8: 56, H264: 46 } as const;
/** Bits a second. */
const poorBelow = 200_000;

/** libvpx or x264, one thread, no delay. Encodes in libuv's thread pool. */
export function createVideoEncoder(format: VideoFormat): VideoEncoder {
  let bps = format.bps;
  let context = openEncoder(format, bps);
  const frame = pictureBuffer(format);
  // node-av 6.1.1 says that `fromBuffer` copies; it points to the buffer, which is read in another thread, later.
  const picture = Buffer.alloc((format.width * format.height * 3) / 2);
  const packet = new Packet();
  packet.alloc();
  let pts = 0n;
  let busy = false;
  let disposed = false;

  function free(): void {
    packet.free();
    frame.free();
    context.freeContext();
  }

  /** x264 takes a new bitrate as it goes; otherwise it takes a new encoder, which starts with a key frame. */
  function adoptBitrate(): void {
    if (context.bitRate === BigInt(Math.round(bps))) return;
    if (format.codec === 'H264' && context.qMax === coarsest(format.codec, bps)) {
      limitBitrate(context, bps);
      return;
    }
    const next = openEncoder(format, bps);
    context.freeContext();
    context = next;
  }

  return {
    async encode(i420, { key }): Promise<EncodedFrame> {
      if (disposed) throw new Error('the video encoder is closed');
      if (busy) throw new Error('the video encoder is busy with the frame before');
      busy = true;
      try {
        adoptBitrate();
        FFmpegError.throwIfError(frame.makeWritable(), 'reuse video frame');
        picture.set(i420);
        FFmpegError.throwIfError(frame.fromBuffer(picture), 'fill video frame');
        frame.pictType = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
        frame.pts = pts++;
        FFmpegError.throwIfError(await context.sendFrame(frame), 'encode video');
        FFmpegError.throwIfError(context.receivePacketSync(packet), 'encode video');
        const encoded = { data: Uint8Array.from(packet.data ?? []), key: packet.isKeyframe };
        packet.unref();
        return encoded;
      } finally {
        busy = false;
        if (disposed) free();
      }
    },
    setBitrate(next) {
      bps = next;
    },
    [Symbol.dispose]() {
      if (disposed) return;
      disposed = true;
      if (!busy) free();
    },
  };
}

function pictureBuffer({ width, height }: VideoFormat): Frame {
  const frame = new Frame();
  frame.alloc();
  frame.width = width;
  frame.height = height;
  frame.format = AV_PIX_FMT_YUV420P;
  FFmpegError.throwIfError(frame.getBuffer(), 'allocate video frame');
  return frame;
}

function openEncoder({ codec, width, height, effort }: VideoFormat, bps: number): CodecContext {
  const encoder = Codec.findEncoderByName(codec === 'VP8' ? FF_ENCODER_LIBVPX_VP8 : FF_ENCODER_LIBX264);
  return openCodec(encoder, (context) => {
    context.width = width;
    context.height = height;
    context.pixelFormat = AV_PIX_FMT_YUV420P;
    context.colorRange = AVCOL_RANGE_MPEG;
    context.colorSpace = AVCOL_SPC_SMPTE170M;
    context.timeBase = new Rational(1, framesPerSecond);
    context.framerate = new Rational(framesPerSecond, 1);
    context.threadCount = 1;
    // Key frames come when they are asked for, never by themselves.
    context.gopSize = 1_000_000;
    context.maxBFrames = 0;
    context.qMin = finestQuantiser[codec];
    context.qMax = coarsest(codec, bps);
    limitBitrate(context, bps);
    setOptions(context, codec === 'VP8' ? vp8Options : h264Options);
    setOptions(context, efforts[codec][effort]);
  });
}

function coarsest(codec: VideoCodec, bps: number): number {
  return bps < poorBelow ? coarsestWhenPoor[codec] : coarsestQuantiser[codec];
}

function limitBitrate(context: CodecContext, bps: number): void {
  context.bitRate = BigInt(Math.round(bps));
  context.rcMaxRate = BigInt(Math.round(bps));
  // Half a second: a key frame fits without starving the frames after it.
  context.rcBufferSize = Math.round(bps / 2);
}

/** Measured with the illustrated tutors at 512x512, ms of one core and kbit/s: VP8 0.8 and 320 or 3.9 and 230; H.264 0.7 and 160. */
const efforts = {
  VP8: { live: { deadline: 'realtime', 'cpu-used': -12, 'static-thresh': 1500 }, once: { deadline: 'good', 'cpu-used': 2 } },
  H264: { live: { preset: 'superfast' }, once: { preset: 'veryfast' } },
} as const;

const vp8Options = {
  'lag-in-frames': 0,
  'auto-alt-ref': 0,
  'error-resilient': 'default',
} as const;

const h264Options = {
  tune: 'zerolatency',
  profile: 'baseline',
  'forced-idr': 1,
  // Annex B with parameter sets before each key frame, since a viewer may join at any of them; no reordering, no key
  // frame at a scene cut, one slice.
  'x264-params': 'repeat-headers=1:annexb=1:scenecut=0:sliced-threads=0:aud=0',
} as const;
