import { TutorError } from '../errors.ts';
import type { WebrtcConfig } from '../media-contract.ts';

/** What of the relay's addresses a try uses: one allocation on the relay at a time is enough. */
export function relayServers({ iceServers }: WebrtcConfig, way: 'udp' | 'tcp'): RTCIceServer[] {
  const relays = iceServers.map(({ urls, ...credentials }) => ({ ...credentials, urls: urls.filter(isRelay) }));
  if (relays.every(({ urls }) => urls.length === 0)) {
    throw new TutorError('media_blocked', 'the engine names no turn: server, and media never takes another way');
  }
  const wanted = relays.map((server) => ({ ...server, urls: server.urls.filter((url) => isTcp(url) === (way === 'tcp')) }));
  const usable = wanted.filter(({ urls }) => urls.length > 0);
  return usable.length > 0 ? usable : relays.filter(({ urls }) => urls.length > 0);
}

function isRelay(url: string): boolean {
  return /^turns?:/i.test(url);
}

function isTcp(url: string): boolean {
  return /^turns:/i.test(url) || /[?&]transport=tcp\b/i.test(url);
}

/** The offer with nothing in it but ways through the relay. Throws when there is none. */
export function relayedOnly(sdp: string): string {
  const lines = sdp.split('\r\n');
  const kept = lines.filter((line) => !line.startsWith('a=candidate:') || / typ relay( |$)/.test(line));
  if (!kept.some((line) => line.startsWith('a=candidate:'))) {
    throw new TutorError('relay_unavailable', 'the media relay cannot be reached from this network');
  }
  return kept.join('\r\n');
}
