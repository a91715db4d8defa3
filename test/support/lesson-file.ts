import { AVERROR_EAGAIN, AVERROR_EOF, AVMEDIA_TYPE_SUBTITLE, AVMEDIA_TYPE_VIDEO } from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, FormatContext, Frame, Packet, type Stream } from 'node-av/lib';

/* A lesson's video as a player has it: demultiplexed and decoded by FFmpeg, times in ms. */

export interface ShownText {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface PlayedLesson {
  /** Codec names in the order of the tracks. */
  readonly tracks: readonly string[];
  /** How long picture and sound last. */
  readonly pictureMs: number;
  readonly soundMs: number;
  /** From 0 on, -1 to 1. */
  readonly samples: Float32Array;
  readonly rate: number;
  /** Each line with the whole time that it stands on the picture, in order of their beginnings. */
  readonly captions: readonly ShownText[];
  readonly language: string | null;
}

type OnPicture = (picture: Uint8Array, atMs: number) => void;

/** `onPicture` gets each frame as I420, in order; it is good until it returns. */
export async function playLesson(path: string, onPicture: OnPicture = () => {}): Promise<PlayedLesson> {
  const format = new FormatContext();
  FFmpegError.throwIfError(await format.openInput(path), 'open a lesson');
  const tracks = format.streams.map((stream) => trackOf(stream, onPicture));
  using packet = new Packet();
  packet.alloc();
  for (;;) {
    const status = await format.readFrame(packet);
    if (status === AVERROR_EOF) break;
    FFmpegError.throwIfError(status, 'read a lesson');
    tracks[packet.streamIndex]?.take(packet);
    packet.unref();
  }
  const played = { ...emptyLesson, tracks: tracks.map(({ name }) => name), ...Object.assign({}, ...tracks.map((track) => track.end())) };
  await format.closeInput();
  return played;
}

const emptyLesson: PlayedLesson = {
  tracks: [],
  pictureMs: 0,
  soundMs: 0,
  samples: new Float32Array(),
  rate: 0,
  captions: [],
  language: null,
};

interface Track {
  readonly name: string;
  take(packet: Packet): void;
  end(): Partial<PlayedLesson>;
}

function trackOf(stream: Stream, onPicture: OnPicture): Track {
  switch (stream.codecpar.codecType) {
    case AVMEDIA_TYPE_SUBTITLE:
      return captionsOf(stream);
    case AVMEDIA_TYPE_VIDEO:
      return pictureOf(stream, onPicture);
    default:
      return soundOf(stream);
  }
}

/** Texts of 3GPP TS 26.245: their length in two bytes, then UTF-8. */
function captionsOf(stream: Stream): Track {
  const lines: ShownText[] = [];
  return {
    name: nameOf(stream),
    take({ data, pts, duration }) {
      const text = data?.subarray(2, 2 + data.readUInt16BE(0)).toString() ?? '';
      const span = { startMs: msOf(stream, pts), endMs: msOf(stream, pts + duration) };
      for (const line of text === '' ? [] : text.split('\n')) lines.push({ text: line, ...span });
    },
    end: () => ({ captions: wholeLines(lines), language: stream.metadata?.get('language') ?? null }),
  };
}

function pictureOf(stream: Stream, onPicture: OnPicture): Track {
  let pictureMs = 0;
  const decoding = decode(stream, (frame) => onPicture(frame.toBuffer(), msOf(stream, frame.pts)));
  return {
    name: nameOf(stream),
    take(packet) {
      pictureMs = msOf(stream, packet.pts + packet.duration);
      decoding.take(packet);
    },
    end() {
      decoding.end();
      return { pictureMs };
    },
  };
}

function soundOf(stream: Stream): Track {
  const parts: Float32Array[] = [];
  const decoding = decode(stream, (frame) => parts.push(samplesOf(frame)));
  return {
    name: nameOf(stream),
    take: decoding.take,
    end() {
      decoding.end();
      return { samples: joined(parts), rate: stream.codecpar.sampleRate, soundMs: msOf(stream, stream.duration) };
    },
  };
}

function nameOf({ codecpar }: Stream): string {
  return Codec.findDecoder(codecpar.codecId)?.name ?? 'unknown';
}

function decode(
  stream: Stream,
  onFrame: (frame: Frame) => void,
): { readonly take: (packet: Packet | null) => void; readonly end: () => void } {
  const decoder = decoderOf(stream);
  const frame = new Frame();
  frame.alloc();
  function take(packet: Packet | null): void {
    FFmpegError.throwIfError(decoder.sendPacketSync(packet), 'decode a lesson');
    for (;;) {
      const status = decoder.receiveFrameSync(frame);
      if (status === AVERROR_EAGAIN || status === AVERROR_EOF) return;
      FFmpegError.throwIfError(status, 'decode a lesson');
      onFrame(frame);
      frame.unref();
    }
  }
  return {
    take,
    end() {
      take(null);
      frame.free();
      decoder.freeContext();
    },
  };
}

function decoderOf({ codecpar, timeBase }: Stream): CodecContext {
  const codec = Codec.findDecoder(codecpar.codecId);
  const context = new CodecContext();
  context.allocContext3(codec);
  FFmpegError.throwIfError(context.parametersToContext(codecpar), 'open a decoder');
  context.pktTimebase = timeBase;
  context.threadCount = 1;
  FFmpegError.throwIfError(context.open2Sync(codec), 'open a decoder');
  return context;
}

function msOf({ timeBase: { num, den } }: Stream, stamp: bigint): number {
  return (Number(stamp) * num * 1_000) / den;
}

/** Planar floats, mono. */
function samplesOf(frame: Frame): Float32Array {
  const plane = frame.data?.[0] ?? Buffer.alloc(0);
  const samples = new Float32Array(frame.nbSamples);
  Buffer.from(samples.buffer).set(plane.subarray(0, samples.byteLength));
  return samples;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A line that stays while others come and go is one. */
function wholeLines(lines: readonly ShownText[]): readonly ShownText[] {
  const whole: ShownText[] = [];
  for (const line of lines) {
    const before = whole.findLastIndex(({ text, endMs }) => text === line.text && endMs === line.startMs);
    const known = whole[before];
    if (known === undefined) whole.push(line);
    else whole[before] = { ...known, endMs: line.endMs };
  }
  return whole;
}

/** RMS of a stretch, dB relative to full scale. */
export function levelOf({ samples, rate }: PlayedLesson, startMs: number, endMs: number): number {
  const part = samples.subarray(Math.round((startMs * rate) / 1_000), Math.round((endMs * rate) / 1_000));
  return 20 * Math.log10(Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, part.length)) + 1e-9);
}
