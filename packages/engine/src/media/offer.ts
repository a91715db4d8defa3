import { isIPv4 } from 'node:net';
import { offeredSections, type Section } from './offer-sections.ts';
import { OfferRefused, type VideoCodec } from './ports.ts';

/*
 * Which offers a browser may make. Media passes through the relay and nothing else, so an offer that
 * names any other address is refused, by the name of its fault, before WebRTC code sees it. That code gets
 * a description written here, of the few lines that it needs. Pure.
 */

export interface RelayRules {
  /** The only addresses that a relay candidate may have; IPv4. */
  readonly relayAddresses: readonly string[];
  /** Inclusive. */
  readonly relayPorts: readonly [number, number];
}

export interface RelayCandidate {
  readonly address: string;
  readonly port: number;
}

/** Of a candidate line: whose ICE generation it belongs to; null: it does not say. */
export interface TrickledCandidate extends RelayCandidate {
  readonly userFragment: string | null;
}

export interface CheckedOffer {
  /** What is left of the offer: our own writing, without candidates. */
  readonly sdp: string;
  readonly candidates: readonly RelayCandidate[];
  /** What is sent to it; null: it asked for no video. */
  readonly video: VideoCodec | null;
  /** Of ICE: another one is a restart. */
  readonly userFragment: string;
  /** SHA-256 of the browser's certificate, upper case. */
  readonly fingerprint: string;
}

const maxBytes = 16_384;
const maxLines = 600;
const maxSections = 3;
export const maxCandidates = 4;
const midUri = 'urn:ietf:params:rtp-hdrext:sdes:mid';
const transportUri = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';

/** Throws `OfferRefused`. */
export function checkOffer(sdp: string, rules: RelayRules): CheckedOffer {
  const lines = linesOf(sdp);
  const { session, sections } = offeredSections(lines);
  checkKinds(sections);
  const candidates = distinct(
    lines.filter((line) => /^a=candidate:/i.test(line)).map((line) => checkCandidate(line.slice('a='.length), rules)),
  );
  if (candidates.length > maxCandidates) throw new OfferRefused('malformed', `an offer has at most ${maxCandidates} relay candidates`);
  const transport = transportOf(session, sections);
  const video = sections.find(({ kind }) => kind === 'video');
  const codec = video === undefined ? null : videoCodecOf(video);
  const written = sections.map((section) => write(section, codec, transport));
  const group = `a=group:BUNDLE ${sections.map(({ mid }) => mid).join(' ')}`;
  const head = ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0', group];
  return {
    sdp: `${[...head, ...written.flat()].join('\r\n')}\r\n`,
    candidates,
    video: codec?.name ?? null,
    userFragment: transport.userFragment,
    fingerprint: transport.fingerprint,
  };
}

/** One `candidate:` line. Throws `OfferRefused`. */
export function checkCandidate(candidate: string, { relayAddresses, relayPorts: [first, last] }: RelayRules): TrickledCandidate {
  if (candidate.length > 512 || !/^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(candidate)) {
    throw new OfferRefused('malformed', 'a candidate line cannot be read');
  }
  const [foundation, component, protocol, , address, portText, typ, type, ...rest] = candidate.replace(/^a=/, '').split(' ');
  if (foundation?.startsWith('candidate:') !== true || typ !== 'typ' || address === undefined) {
    throw new OfferRefused('malformed', 'a candidate line cannot be read');
  }
  if (type !== 'relay') {
    throw new OfferRefused('candidate_not_relay', `a candidate of type "${nameOf(type)}": set iceTransportPolicy to "relay"`);
  }
  if (component !== '1' || protocol?.toLowerCase() !== 'udp') {
    throw new OfferRefused('unsupported_media', 'a relay candidate is UDP and component 1: use rtcp-mux');
  }
  if (!isIPv4(address) || !relayAddresses.includes(address)) {
    throw new OfferRefused('unexpected_relay_address', 'a relay candidate of another relay than the one that webrtc.config names');
  }
  const port = /^\d{1,5}$/.test(portText ?? '') ? Number(portText) : -1;
  if (port < first || port > last) throw new OfferRefused('unexpected_relay_address', 'a relay candidate outside the ports of the relay');
  const named = rest.indexOf('ufrag');
  return { address, port, userFragment: named === -1 ? null : (rest[named + 1] ?? null) };
}

/** Nothing but a known word of ICE goes into an error message. */
function nameOf(type: string | undefined): string {
  return type === 'host' || type === 'srflx' || type === 'prflx' ? type : 'unknown';
}

function distinct(candidates: readonly RelayCandidate[]): readonly RelayCandidate[] {
  return [...new Map(candidates.map(({ address, port }) => [`${address}:${port}`, { address, port }])).values()];
}

function linesOf(sdp: string): readonly string[] {
  if (Buffer.byteLength(sdp) > maxBytes) throw new OfferRefused('too_large', `an offer has at most ${maxBytes} bytes`);
  const lines = sdp.split(/\r\n|\n/).filter((line) => line !== '');
  if (lines.length > maxLines) throw new OfferRefused('too_large', `an offer has at most ${maxLines} lines`);
  if (lines[0] !== 'v=0') throw new OfferRefused('malformed', 'this is not a session description');
  const strange = lines.find((line) => !/^[a-z]=[\x20-\x7e]*$/.test(line));
  if (strange !== undefined) throw new OfferRefused('malformed', 'a line of the offer is not of the form type=value');
  return lines;
}

function checkKinds(sections: readonly Section[]): void {
  if (sections.length === 0 || sections.length > maxSections) {
    throw new OfferRefused('unsupported_media', `an offer has one audio and one video section, and at most ${maxSections} in all`);
  }
  const count = (wanted: Section['kind']) => sections.filter(({ kind }) => kind === wanted).length;
  if (count('audio') !== 1 || count('video') > 1) {
    throw new OfferRefused('unsupported_media', 'an offer has one audio section and at most one for video');
  }
}

interface Transport {
  readonly userFragment: string;
  readonly password: string;
  readonly fingerprint: string;
  readonly setup: string;
}

/** All sections share one: the first one's, RFC 9143. */
function transportOf(session: readonly string[], sections: readonly Section[]): Transport {
  const [first] = sections;
  const lines = [...session, ...(first?.lines ?? [])];
  if (sections.length > 1) {
    const group =
      session
        .find((line) => line.startsWith('a=group:BUNDLE '))
        ?.split(' ')
        .slice(1) ?? [];
    if (group[0] !== first?.mid || !sections.every(({ mid }) => group.includes(mid))) {
      throw new OfferRefused('unsupported_media', 'audio and video must be bundled: set bundlePolicy to "max-bundle"');
    }
  }
  if (!lines.includes('a=rtcp-mux')) throw new OfferRefused('unsupported_media', 'RTP and RTCP share a port: offer rtcp-mux');
  const everywhere = [...session, ...sections.flatMap((section) => section.lines)];
  const fingerprints = new Set(everywhere.filter((line) => line.startsWith('a=fingerprint:')).map((line) => line.toUpperCase()));
  if (fingerprints.size !== 1) throw new OfferRefused('malformed', 'an offer has one certificate fingerprint');
  const fingerprint = /^A=FINGERPRINT:SHA-256 ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})$/.exec([...fingerprints][0] ?? '')?.[1];
  if (fingerprint === undefined) throw new OfferRefused('malformed', 'a certificate fingerprint is SHA-256');
  const userFragment = only(lines, /^a=ice-ufrag:([\w+/]{4,256})$/);
  if (userFragment === null) throw new OfferRefused('malformed', 'a section has one ICE user fragment');
  const password = only(lines, /^a=ice-pwd:([\w+/]{22,256})$/);
  if (password === null) throw new OfferRefused('malformed', 'a section has one ICE password');
  return { userFragment, password, fingerprint, setup: only(lines, /^a=setup:(actpass|active|passive)$/) ?? 'actpass' };
}

/** The one thing that a pattern finds in these lines; null: none, or several. */
function only(lines: readonly string[], pattern: RegExp): string | null {
  const found = new Set(lines.flatMap((line) => pattern.exec(line)?.[1] ?? []));
  return found.size === 1 ? ([...found][0] ?? null) : null;
}

interface OfferedCodec {
  readonly name: VideoCodec;
  readonly payloadType: string;
}

/** VP8 where it is offered: it costs this machine least. */
function videoCodecOf(section: Section): OfferedCodec {
  const [vp8] = section.payloadTypesOf('VP8/90000');
  if (vp8 !== undefined) return { name: 'VP8', payloadType: vp8 };
  const isMode1 = (type: string) => /packetization-mode=1(;|$)/.test(section.parametersOf(type));
  const modes = section.payloadTypesOf('H264/90000').filter(isMode1);
  // What is sent is constrained baseline; those of plain baseline play it as well.
  const [h264] = ['42e0', '4200'].flatMap((profile) =>
    modes.filter((type) => section.parametersOf(type).toLowerCase().includes(`profile-level-id=${profile}`)),
  );
  if (h264 === undefined)
    throw new OfferRefused('unsupported_media', 'video is VP8, or H.264 of the baseline profile in packetization mode 1');
  return { name: 'H264', payloadType: h264 };
}

function write(section: Section, video: OfferedCodec | null, transport: Transport): readonly string[] {
  const [opus] = section.payloadTypesOf('opus/48000/2');
  const payloadType = section.kind === 'audio' ? opus : video?.payloadType;
  if (payloadType === undefined) throw new OfferRefused('unsupported_media', 'audio is Opus');
  const retransmission = section.payloadTypesOf('rtx/90000').find((type) => section.parametersOf(type) === `apt=${payloadType}`);
  const kept = retransmission === undefined ? [payloadType] : [payloadType, retransmission];
  const codecLines = section.lines.filter((line) => kept.some((type) => new RegExp(`^a=(rtpmap|fmtp|rtcp-fb):${type} `).test(line)));
  const extensions = section.lines.filter((line) => {
    const [, uri] = /^a=extmap:\d{1,3}(?:\/\w+)? (\S+)$/.exec(line) ?? [];
    return uri === midUri || uri === transportUri;
  });
  return [
    `m=${section.kind} 9 UDP/TLS/RTP/SAVPF ${kept.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${transport.userFragment}`,
    `a=ice-pwd:${transport.password}`,
    'a=ice-options:trickle',
    `a=fingerprint:sha-256 ${transport.fingerprint}`,
    `a=setup:${transport.setup}`,
    `a=mid:${section.mid}`,
    ...extensions,
    `a=${section.direction}`,
    'a=rtcp-mux',
    ...codecLines,
    ...section.lines.filter((line) => /^a=ssrc:\d{1,10} cname:/.test(line)).slice(0, 2),
  ];
}
