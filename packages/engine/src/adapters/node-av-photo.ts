import { FF_DECODER_MJPEG, FF_DECODER_PNG } from 'node-av/constants';
import { Codec, Frame, Packet } from 'node-av/lib';
import { type ClipLimits, ClipRefused, checkSize, maxStillBytes, stillAllowance } from '../avatar/source/clip.ts';
import { type PhotoFile, readJpeg } from '../avatar/source/jpeg.ts';
import { readPng } from '../avatar/source/png.ts';
import { sniff } from '../avatar/source/sniff.ts';
import { type Turn, turnOfExif } from '../avatar/source/upright.ts';
import type { ClipFile } from './node-av-clip-file.ts';
import { openCodec, setOptions } from './node-av-context.ts';

/** A photo, decoded. Whoever opens it frees the frame. */
export interface Photo {
  readonly frame: Frame;
  readonly turn: Turn;
}

/** Throws `ClipRefused`. No demuxer takes part: a photo's file is one packet. */
export async function openPhoto(file: ClipFile, limits: ClipLimits): Promise<Photo> {
  if (file.bytes > maxStillBytes) throw new ClipRefused('too_heavy');
  const bytes = file.read(0, file.bytes);
  const photo = file.container === 'png' ? readPng(bytes) : readJpeg(bytes);
  checkSize(photo, limits, true);
  return {
    frame: await decode(photo, file.container === 'png' ? FF_DECODER_PNG : FF_DECODER_MJPEG, limits.maxPixels * stillAllowance),
    turn: turnOfExif(photo.orientation),
  };
}

/** A frame of a film that is kept as pictures. Throws `ClipRefused`. Whoever asks for it frees it. */
export async function decodePng(bytes: Uint8Array, limits: ClipLimits): Promise<Frame> {
  if (sniff(bytes) !== 'png') throw new ClipRefused('damaged');
  const picture = readPng(bytes);
  checkSize(picture, limits, false);
  return decode(picture, FF_DECODER_PNG, limits.maxPixels);
}

async function decode(
  { essence, width, height }: PhotoFile,
  name: typeof FF_DECODER_PNG | typeof FF_DECODER_MJPEG,
  mostPixels: number,
): Promise<Frame> {
  const decoder = openCodec(Codec.findDecoderByName(name), (context) => {
    context.threadCount = 1;
    setOptions(context, { max_pixels: Math.round(mostPixels * 1.25) });
  });
  const packet = new Packet();
  packet.alloc();
  const frame = new Frame();
  frame.alloc();
  try {
    packet.data = Buffer.from(essence);
    if ((await decoder.sendPacket(packet)) < 0) throw new ClipRefused('damaged');
    if ((await decoder.sendPacket(null)) < 0 || (await decoder.receiveFrame(frame)) < 0) throw new ClipRefused('damaged');
    if (frame.width !== width || frame.height !== height) throw new ClipRefused('damaged');
    return frame;
  } catch (error) {
    frame.free();
    throw error;
  } finally {
    packet.free();
    decoder.freeContext();
  }
}
