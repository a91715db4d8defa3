import type { Locale } from '@virtual-tutor/schemas';
import {
  AV_CODEC_ID_H264,
  AV_CODEC_ID_MOV_TEXT,
  AV_DISPOSITION_DEFAULT,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_SMPTE170M,
  AVFMT_FLAG_BITEXACT,
  AVMEDIA_TYPE_SUBTITLE,
  AVMEDIA_TYPE_VIDEO,
} from 'node-av/constants';
import { Dictionary, FFmpegError, FormatContext, Packet, Rational } from 'node-av/lib';
import { nalUnits } from '../media/nal-units.ts';
import { type EncodedFrame, framesPerSecond, playoutRate } from '../media/ports.ts';
import { createAacEncoder } from './node-av-aac.ts';

export interface LessonFileOptions {
  readonly path: string;
  /** px */
  readonly width: number;
  readonly height: number;
  readonly locale: Locale;
}

/** When something is to be seen, whole ms from the beginning. */
export interface Span {
  readonly atMs: number;
  readonly lastsMs: number;
}

/** An MP4: H.264, AAC and captions (3GPP timed text). The same frames, samples and texts make the same bytes. */
export interface LessonFile extends AsyncDisposable {
  /** In order and without a gap; all frames have the parameter sets of the first, which is a key frame. */
  addFrame(frame: EncodedFrame, span: Span): Promise<void>;
  /** What follows, at `playoutRate`. */
  addSound(samples: Int16Array): Promise<void>;
  /** In order, without overlap. */
  addCaption(text: string, span: Span): Promise<void>;
  /** Without it the file cannot be played. */
  finish(): Promise<void>;
}

const tracks = { video: 0, sound: 1, captions: 2 } as const;
const inMs = { num: 1, den: 1_000 };
/** ISO 639-2/T, as the container wants it. */
const languages: Readonly<Record<Locale, string>> = { en: 'eng', zh: 'zho' };
const mostCaptionBytes = 65_535;
const startCode = Buffer.from([0, 0, 0, 1]);
/** NAL unit types of the parameter sets (ITU-T H.264, table 7-1). */
const [sequenceSet, pictureSet] = [7, 8];

export function createLessonFile(options: LessonFileOptions): LessonFile {
  return new Mp4(options);
}

class Mp4 implements LessonFile {
  readonly #options: LessonFileOptions;
  readonly #format = new FormatContext();
  readonly #aac = createAacEncoder();
  readonly #packet = new Packet();
  /** Parameter sets of the first frame; null: nothing is written yet. */
  #parameters: Buffer | null = null;

  constructor(options: LessonFileOptions) {
    this.#options = options;
    this.#packet.alloc();
  }

  async addFrame(frame: EncodedFrame, { atMs, lastsMs }: Span): Promise<void> {
    const { parameters, picture } = splitFrame(frame);
    if (this.#parameters === null) await this.#begin(parameters);
    else if (parameters.length > 0 && !parameters.equals(this.#parameters)) throw new RangeError('frames of one track have one form');
    this.#packet.data = picture;
    this.#packet.isKeyframe = frame.key;
    await this.#write(tracks.video, { atMs, lastsMs });
  }

  async addSound(samples: Int16Array): Promise<void> {
    await this.#writeSound(this.#aac.encode(samples));
  }

  async addCaption(text: string, span: Span): Promise<void> {
    // The format counts in 16 bits; whole characters only.
    const bytes = Buffer.alloc(2 + mostCaptionBytes);
    const { written } = new TextEncoder().encodeInto(text, bytes.subarray(2));
    bytes.writeUInt16BE(written);
    this.#packet.data = bytes.subarray(0, 2 + written);
    this.#packet.isKeyframe = true;
    await this.#write(tracks.captions, span);
  }

  async finish(): Promise<void> {
    await this.#writeSound(this.#aac.finish());
    FFmpegError.throwIfError(await this.#format.writeTrailer(), 'finish a file');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#format.closeOutput();
    this.#format.freeContext();
    this.#packet.free();
    this.#aac[Symbol.dispose]();
  }

  async #begin(parameters: Buffer): Promise<void> {
    this.#parameters = parameters;
    const format = this.#format;
    FFmpegError.throwIfError(format.allocOutputContext2(null, 'mp4', this.#options.path), 'open a muxer');
    // No date, no random identifier, no version of FFmpeg.
    format.setFlags(AVFMT_FLAG_BITEXACT);
    this.#describePicture(parameters);
    const sound = format.newStream();
    sound.timeBase = new Rational(1, playoutRate);
    FFmpegError.throwIfError(sound.codecpar.fromContext(this.#aac.context), 'describe the sound');
    this.#describeCaptions();
    FFmpegError.throwIfError(await format.openOutput(), 'open a file');
    FFmpegError.throwIfError(await format.writeHeader(), 'write a header');
  }

  #describePicture(parameters: Buffer): void {
    const { width, height } = this.#options;
    const stream = this.#format.newStream();
    stream.timeBase = new Rational(inMs.num, inMs.den);
    stream.avgFrameRate = new Rational(framesPerSecond, 1);
    const { codecpar } = stream;
    codecpar.codecType = AVMEDIA_TYPE_VIDEO;
    codecpar.codecId = AV_CODEC_ID_H264;
    codecpar.width = width;
    codecpar.height = height;
    codecpar.colorRange = AVCOL_RANGE_MPEG;
    codecpar.colorSpace = AVCOL_SPC_SMPTE170M;
    codecpar.extradata = parameters;
  }

  #describeCaptions(): void {
    const { width, height, locale } = this.#options;
    const stream = this.#format.newStream();
    stream.timeBase = new Rational(inMs.num, inMs.den);
    stream.disposition = AV_DISPOSITION_DEFAULT;
    stream.metadata = Dictionary.fromObject({ language: languages[locale] });
    const { codecpar } = stream;
    codecpar.codecType = AVMEDIA_TYPE_SUBTITLE;
    codecpar.codecId = AV_CODEC_ID_MOV_TEXT;
    codecpar.width = width;
    codecpar.height = Math.round(height / 4);
    codecpar.extradata = captionStyle;
  }

  async #writeSound(packets: Iterable<Packet>): Promise<void> {
    for (const packet of packets) {
      packet.streamIndex = tracks.sound;
      await this.#send(packet, { num: 1, den: playoutRate });
    }
  }

  async #write(track: number, { atMs, lastsMs }: Span): Promise<void> {
    const packet = this.#packet;
    packet.streamIndex = track;
    packet.pts = BigInt(atMs);
    packet.dts = BigInt(atMs);
    packet.duration = BigInt(lastsMs);
    await this.#send(packet, inMs);
    packet.unref();
  }

  async #send(packet: Packet, unit: { readonly num: number; readonly den: number }): Promise<void> {
    const stream = this.#format.streams[packet.streamIndex];
    if (stream === undefined) throw new RangeError('the first of a lesson is a frame');
    packet.rescaleTs(unit, stream.timeBase);
    FFmpegError.throwIfError(await this.#format.writeFrame(packet), 'write a packet');
  }
}

/** Parameter sets belong into the head of an MP4, the rest into its samples (ISO/IEC 14496-15, section 5.3). */
function splitFrame({ data }: EncodedFrame): { readonly parameters: Buffer; readonly picture: Buffer } {
  const [parameters, picture]: [Buffer[], Buffer[]] = [[], []];
  for (const unit of nalUnits(data)) {
    const type = (unit[0] ?? 0) & 0x1f;
    (type === sequenceSet || type === pictureSet ? parameters : picture).push(startCode, Buffer.from(unit));
  }
  return { parameters: Buffer.concat(parameters), picture: Buffer.concat(picture) };
}

/** How texts look: white on half-transparent black, at the bottom, in the middle (3GPP TS 26.245, section 5.16). */
const captionStyle = Buffer.concat([
  // No scrolling; centred, at the bottom; the background's colour; no box of its own.
  Buffer.from([0, 0, 0, 0, 1, 0xff, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0]),
  // All characters in font 1, plain, of 18 px, white.
  Buffer.from([0, 0, 0, 0, 0, 1, 0, 18, 0xff, 0xff, 0xff, 0xff]),
  fontTable('Sans'),
]);

function fontTable(name: string): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(head.length + name.length);
  head.write('ftab', 4, 'latin1');
  head.writeUInt16BE(1, 8);
  head.writeUInt16BE(1, 10);
  head.writeUInt8(name.length, 12);
  return Buffer.concat([head, Buffer.from(name, 'latin1')]);
}
