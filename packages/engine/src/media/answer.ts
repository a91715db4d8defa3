import type { VideoCodec } from './ports.ts';

/** What an answer settled for one kind of media. */
export interface SettledMedia {
  readonly payloadType: number;
  /** Of retransmissions; null: none. */
  readonly rtxPayloadType: number | null;
  readonly mid: string;
  /** Ids of the header extensions; null: not settled. */
  readonly midExtension: number | null;
  readonly transportExtension: number | null;
}

export interface SettledAnswer {
  readonly audio: SettledMedia;
  /** Null: no video. */
  readonly video: SettledMedia | null;
}

const midUri = 'urn:ietf:params:rtp-hdrext:sdes:mid';
const transportUri = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';

/** Reads our own answer. Throws when it is not one. */
export function readAnswer(sdp: string, video: VideoCodec | null): SettledAnswer {
  const sections = sdp.split(/^(?=m=)/m).slice(1);
  const audioSection = sections.find((section) => section.startsWith('m=audio '));
  if (audioSection === undefined) throw new Error('an answer has an audio section');
  const videoSection = sections.find((section) => section.startsWith('m=video ') && !section.startsWith('m=video 0 '));
  return {
    audio: settled(audioSection, 'opus/48000'),
    video: video === null || videoSection === undefined ? null : settled(videoSection, `${video}/90000`),
  };
}

/** Every candidate line of a description. */
export function candidatesOf(sdp: string): readonly string[] {
  return sdp.split(/\r\n|\n/).filter((line) => line.startsWith('a=candidate:'));
}

function settled(section: string, codec: string): SettledMedia {
  const payloadType = new RegExp(`^a=rtpmap:(\\d+) ${codec}`, 'im').exec(section)?.[1];
  const mid = /^a=mid:(\S+)/m.exec(section)?.[1];
  if (payloadType === undefined || mid === undefined) throw new Error(`the answer has no ${codec}`);
  const rtx = new RegExp(`^a=fmtp:(\\d+) apt=${payloadType}\\b`, 'm').exec(section)?.[1];
  return {
    payloadType: Number(payloadType),
    rtxPayloadType: rtx === undefined ? null : Number(rtx),
    mid,
    midExtension: extensionOf(section, midUri),
    transportExtension: extensionOf(section, transportUri),
  };
}

function extensionOf(section: string, uri: string): number | null {
  for (const [, id, found] of section.matchAll(/^a=extmap:(\d+)(?:\/\w+)? (\S+)/gm)) if (found === uri) return Number(id);
  return null;
}
