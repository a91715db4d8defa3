import { AV_CODEC_ID_MP3, AV_SAMPLE_FMT_S16P, AVERROR_EAGAIN, AVERROR_EOF, FF_DECODER_MP3 } from 'node-av/constants';
import { Codec, type CodecContext, CodecParser, FFmpegError, Frame, Packet } from 'node-av/lib';
import { openCodec } from './node-av-context.ts';

export interface DecodedSound {
  /** Mono. */
  readonly samples: Int16Array;
  /** Hz. */
  readonly rate: number;
}

/** A whole MP3 of one channel, or the first of several. Throws on what is none. */
export function decodeMp3(bytes: Uint8Array): DecodedSound {
  const decoder = openCodec(Codec.findDecoderByName(FF_DECODER_MP3), () => {});
  const parser = new CodecParser();
  parser.init(AV_CODEC_ID_MP3);
  const packet = new Packet();
  packet.alloc();
  const frame = new Frame();
  frame.alloc();
  const parts: Int16Array[] = [];
  try {
    let at = 0;
    // An empty buffer at the end has the parser give out its last frame.
    while (at <= bytes.length) {
      const used = parser.parse2(decoder, packet, Buffer.from(bytes.subarray(at)), 0n, 0n, at);
      FFmpegError.throwIfError(used, 'parse MP3');
      if (packet.size > 0) {
        FFmpegError.throwIfError(decoder.sendPacketSync(packet), 'decode MP3');
        drain({ decoder, frame, parts });
      } else if (used === 0) break;
      packet.unref();
      at += used;
    }
    FFmpegError.throwIfError(decoder.sendPacketSync(null), 'decode MP3');
    drain({ decoder, frame, parts });
    return { samples: joined(parts), rate: decoder.sampleRate };
  } finally {
    parser.close();
    packet.free();
    frame.free();
    decoder.freeContext();
  }
}

interface Draining {
  readonly decoder: CodecContext;
  readonly frame: Frame;
  readonly parts: Int16Array[];
}

function drain({ decoder, frame, parts }: Draining): void {
  for (;;) {
    const status = decoder.receiveFrameSync(frame);
    if (status === AVERROR_EAGAIN || status === AVERROR_EOF) return;
    FFmpegError.throwIfError(status, 'decode MP3');
    const plane = frame.data?.[0];
    if (frame.format !== AV_SAMPLE_FMT_S16P || plane === undefined) throw new TypeError('the MP3 decoder gave another sample format');
    const samples = new Int16Array(frame.nbSamples);
    Buffer.from(samples.buffer).set(plane.subarray(0, samples.byteLength));
    parts.push(samples);
    frame.unref();
  }
}

function joined(parts: readonly Int16Array[]): Int16Array {
  const samples = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    samples.set(part, at);
    at += part.length;
  }
  return samples;
}
