import { nalUnits } from './nal-units.ts';
import type { EncodedFrame, VideoCodec } from './ports.ts';

/** Bytes of an RTP payload: fits a relayed, encrypted packet into an MTU of 1280. */
const maxPayload = 1_100;

/** RTP payloads of one frame, in order; the last one gets the marker. `pictureId` counts frames. */
export function packetise(codec: VideoCodec, frame: EncodedFrame, pictureId: number): readonly Buffer[] {
  return codec === 'VP8' ? packetiseVp8(frame.data, pictureId) : packetiseH264(frame.data);
}

/** RFC 7741, with a 15-bit picture id, so that a decoder can tell a lost frame from a short one. */
function packetiseVp8(data: Uint8Array, pictureId: number): readonly Buffer[] {
  const payloads: Buffer[] = [];
  for (let at = 0; at < data.length; at += maxPayload) {
    const descriptor = Buffer.from([at === 0 ? 0x90 : 0x80, 0x80, 0x80 | ((pictureId >> 8) & 0x7f), pictureId & 0xff]);
    payloads.push(Buffer.concat([descriptor, data.subarray(at, at + maxPayload)]));
  }
  return payloads;
}

/** RFC 6184 in mode 1: one packet per NAL unit, or fragments (FU-A) of a long one. */
function packetiseH264(data: Uint8Array): readonly Buffer[] {
  return nalUnits(data).flatMap((unit) => (unit.length <= maxPayload ? [Buffer.from(unit)] : fragments(unit)));
}

function fragments(unit: Uint8Array): readonly Buffer[] {
  const [head = 0] = unit;
  const indicator = (head & 0xe0) | 28;
  const payloads: Buffer[] = [];
  for (let at = 1; at < unit.length; at += maxPayload) {
    const start = at === 1 ? 0x80 : 0;
    const end = at + maxPayload >= unit.length ? 0x40 : 0;
    payloads.push(Buffer.concat([Buffer.from([indicator, start | end | (head & 0x1f)]), unit.subarray(at, at + maxPayload)]));
  }
  return payloads;
}
