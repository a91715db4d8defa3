import { isIPv4 } from 'node:net';
import { OfferRefused, type VideoCodec } from './ports.ts';

/*
 * Which offers a browser may make. Media passes through the relay and nothing else, so an offer that
 * names any other address is refused, by the name of its fault, before WebRTC code sees it. Pure.
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

export interface CheckedOffer {
  /** The offer without the lines that nobody here needs. */
  readonly sdp: string;
  readonly candidates: readonly RelayCandidate[];
  /** What is sent to it; null: it asked for no video. */
  readonly video: VideoCodec | null;
}

const maxBytes = 16_384;
const maxLines = 600;
const maxSections = 3;
const maxCandidates = 4;

/** Throws `OfferRefused`. */
export function checkOffer(sdp: string, rules: RelayRules): CheckedOffer {
  if (Buffer.byteLength(sdp) > maxBytes) throw new OfferRefused('too_large', `an offer has at most ${maxBytes} bytes`);
  const lines = sdp.split(/\r\n|\n/).filter((line) => line !== '');
  if (lines.length > maxLines) throw new OfferRefused('too_large', `an offer has at most ${maxLines} lines`);
  if (lines[0] !== 'v=0') throw new OfferRefused('malformed', 'this is not a session description');
  const strange = lines.find((line) => !/^[a-z]=[\x20-\x7e]*$/.test(line));
  if (strange !== undefined) throw new OfferRefused('malformed', 'a line of the offer is not of the form type=value');
  const { session, sections } = splitSections(lines);
  checkSections(session, sections);
  const candidates = distinct(
    lines.filter((line) => line.startsWith('a=candidate:')).map((line) => checkCandidate(line.slice('a='.length), rules)),
  );
  if (candidates.length > maxCandidates) throw new OfferRefused('malformed', `an offer has at most ${maxCandidates} relay candidates`);
  const kept = [...session, ...sections.flat()].filter((line) => !/^a=(candidate|end-of-candidates|extmap-allow-mixed)/.test(line));
  return { sdp: `${kept.join('\r\n')}\r\n`, candidates, video: videoOf(sections) };
}

/** One `candidate:` line. Throws `OfferRefused`. */
export function checkCandidate(candidate: string, { relayAddresses, relayPorts: [first, last] }: RelayRules): RelayCandidate {
  const [foundation, component, protocol, , address, portText, typ, type] = candidate.replace(/^a=/, '').split(' ');
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
  return { address, port };
}

/** Nothing but a known word of ICE goes into an error message. */
function nameOf(type: string | undefined): string {
  return type === 'host' || type === 'srflx' || type === 'prflx' ? type : 'unknown';
}

function distinct(candidates: readonly RelayCandidate[]): readonly RelayCandidate[] {
  return [...new Map(candidates.map((candidate) => [`${candidate.address}:${candidate.port}`, candidate])).values()];
}

type Section = readonly string[];

function splitSections(lines: readonly string[]): { readonly session: Section; readonly sections: readonly Section[] } {
  const starts = lines.flatMap((line, at) => (line.startsWith('m=') ? [at] : []));
  const sections = starts.map((start, nth) => lines.slice(start, starts[nth + 1]));
  return { session: lines.slice(0, starts[0]), sections };
}

function checkSections(session: Section, sections: readonly Section[]): void {
  if (sections.length === 0 || sections.length > maxSections) {
    throw new OfferRefused('unsupported_media', `an offer has one audio and one video section, and at most ${maxSections} in all`);
  }
  const kinds = sections.map((section) => /^m=(\w+) \d{1,5} /.exec(section[0] ?? '')?.[1]);
  if (kinds.filter((kind) => kind === 'audio').length !== 1 || kinds.filter((kind) => kind === 'video').length > 1) {
    throw new OfferRefused('unsupported_media', 'an offer has one audio section and at most one for video');
  }
  if (sections.length > 1 && !session.some((line) => line.startsWith('a=group:BUNDLE '))) {
    throw new OfferRefused('unsupported_media', 'audio and video must be bundled: set bundlePolicy to "max-bundle"');
  }
  for (const section of sections) checkSection(session, section);
  const fingerprints = new Set(
    [...session, ...sections.flat()].filter((line) => line.startsWith('a=fingerprint:')).map((line) => line.toLowerCase()),
  );
  if (fingerprints.size !== 1) throw new OfferRefused('malformed', 'an offer has one certificate fingerprint');
}

function checkSection(session: Section, section: Section): void {
  const lines = [...session, ...section];
  if (!/^m=(audio|video) \d{1,5} UDP\/TLS\/RTP\/SAVPF( \d{1,3})+$/.test(section[0] ?? '')) {
    throw new OfferRefused('unsupported_media', 'a section is audio or video over UDP/TLS/RTP/SAVPF');
  }
  if (!section.includes('a=rtcp-mux')) throw new OfferRefused('unsupported_media', 'RTP and RTCP share a port: offer rtcp-mux');
  if (!lines.some((line) => /^a=fingerprint:sha-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$/i.test(line))) {
    throw new OfferRefused('malformed', 'a certificate fingerprint is SHA-256');
  }
  const ufrags = lines.filter((line) => line.startsWith('a=ice-ufrag:'));
  const passwords = lines.filter((line) => line.startsWith('a=ice-pwd:'));
  if (ufrags.length !== 1 || !/^a=ice-ufrag:[\w+/]{4,256}$/.test(ufrags[0] ?? '')) {
    throw new OfferRefused('malformed', 'a section has one ICE user fragment');
  }
  if (passwords.length !== 1 || !/^a=ice-pwd:[\w+/]{22,256}$/.test(passwords[0] ?? '')) {
    throw new OfferRefused('malformed', 'a section has one ICE password');
  }
  if (section[0]?.startsWith('m=audio') === true && !section.some((line) => /^a=rtpmap:\d{1,3} opus\/48000\/2$/i.test(line))) {
    throw new OfferRefused('unsupported_media', 'audio is Opus');
  }
}

/** VP8 where it is offered: it costs this machine least. */
function videoOf(sections: readonly Section[]): VideoCodec | null {
  const video = sections.find((section) => section[0]?.startsWith('m=video') === true);
  if (video === undefined) return null;
  if (video.some((line) => /^a=rtpmap:\d{1,3} VP8\/90000$/i.test(line))) return 'VP8';
  const h264 = video.some((line) => /^a=rtpmap:\d{1,3} H264\/90000$/i.test(line));
  if (!h264) throw new OfferRefused('unsupported_media', 'video is VP8 or H.264');
  return 'H264';
}
