import { describe, expect, test } from 'vitest';
import { browsers, mutated, offerOf, offersRelay } from '../../../../test/support/offers.ts';
import { seeded } from '../../../../test/support/seeded.ts';
import { checkCandidate, checkOffer } from './offer.ts';
import { OfferRefused } from './ports.ts';

const offer = offerOf('chromium');
const candidate = 'a=candidate:1510613869 1 udp 41885439 127.0.0.1 21001 typ relay';

/** The name of the refusal; 'accepted' when there is none. Anything else thrown is a fault. */
function outcomeOf(check: () => unknown): string {
  try {
    check();
    return 'accepted';
  } catch (error) {
    if (error instanceof OfferRefused) return error.code;
    throw error;
  }
}

const outcome = (sdp: string): string => outcomeOf(() => checkOffer(sdp, offersRelay));

describe('the offers of browsers', () => {
  test.each(browsers)('%s is accepted, with its relay candidate taken out', (browser) => {
    const checked = checkOffer(offerOf(browser), offersRelay);
    expect(checked.candidates).toEqual([{ address: '127.0.0.1', port: 21_001 }]);
    expect(checked.sdp).not.toMatch(/a=(candidate|end-of-candidates)/);
    expect(checked.sdp).toMatch(/^v=0\r\n[\s\S]+m=audio[\s\S]+m=video[\s\S]+\r\n$/);
  });

  test('VP8 is chosen wherever it is offered, in any place of the list', () => {
    for (const browser of browsers) expect(checkOffer(offerOf(browser), offersRelay).video).toBe('VP8');
  });

  test('H.264 is chosen where there is no VP8', () => {
    const without = offer.replaceAll(/a=rtpmap:\d+ VP8\/90000\r\n/g, '');
    expect(checkOffer(without, offersRelay).video).toBe('H264');
  });

  test('of H.264 constrained baseline is taken, in packetization mode 1', () => {
    for (const browser of browsers) {
      const { sdp } = checkOffer(offerOf(browser).replaceAll(/a=rtpmap:\d+ VP8\/90000\r\n/g, ''), offersRelay);
      expect(sdp).toMatch(/profile-level-id=42e0/);
      expect(sdp).toMatch(/packetization-mode=1/);
      expect(sdp.match(/a=rtpmap:\d+ H264/g)).toHaveLength(1);
    }
  });

  test('nothing of an offer is handed on but what is needed: one codec each, with its retransmissions', () => {
    for (const browser of browsers) {
      const { sdp } = checkOffer(offerOf(browser), offersRelay);
      const codecs = sdp.match(/a=rtpmap:\d+ (\w+)/gi)?.map((line) => line.replace(/.* /, '').toLowerCase());
      expect(codecs).toEqual(['opus', 'vp8', 'rtx']);
      for (const line of sdp.match(/a=extmap:.*/g) ?? []) expect(line).toMatch(/sdes:mid|transport-wide-cc/);
    }
  });

  test('an offer of audio alone is one without video', () => {
    const alone = offer.slice(0, offer.indexOf('m=video')).replace('BUNDLE 0 1', 'BUNDLE 0');
    expect(checkOffer(alone, offersRelay).video).toBeNull();
  });

  test('an offer that trickles has no candidate yet', () => {
    expect(checkOffer(offer.replace(/a=candidate.*\r\n/, ''), offersRelay).candidates).toEqual([]);
  });

  test('a candidate named twice counts once', () => {
    const twice = offer.replace(/(a=candidate.*\r\n)/, '$1$1$1$1$1');
    expect(checkOffer(twice, offersRelay).candidates).toHaveLength(1);
  });
});

describe('an offer is refused, by name,', () => {
  const withCandidates = (...lines: readonly string[]): string =>
    offer.replace(/a=candidate.*\r\n/, () => lines.map((line) => `${line}\r\n`).join(''));

  test.each([
    ['longer than 16 KiB', `${offer}a=x:${'y'.repeat(16_384)}\r\n`, 'too_large'],
    ['of more than 600 lines', `${offer}${'a=x\r\n'.repeat(600)}`, 'too_large'],
    ['that is empty', '', 'malformed'],
    ['that is no session description', 'hello', 'malformed'],
    ['with a line of another form', offer.replace('a=rtcp-mux', 'rtcp-mux'), 'malformed'],
    ['with a control character', offer.replace('a=rtcp-mux', 'a=rtcp-mux\0'), 'malformed'],
    ['with letters beyond ASCII', offer.replace('s=-', 's=é'), 'malformed'],
    ['without media', offer.slice(0, offer.indexOf('m=audio')), 'unsupported_media'],
    ['without audio', offer.replace(/m=audio[\s\S]*(?=m=video)/, ''), 'unsupported_media'],
    ['with two videos', `${offer}${offer.slice(offer.indexOf('m=video')).replace('a=mid:1', 'a=mid:2')}`, 'unsupported_media'],
    ['with a data channel', `${offer}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n`, 'unsupported_media'],
    ['without bundling', offer.replace(/a=group:BUNDLE.*\r\n/, ''), 'unsupported_media'],
    ['without encryption', offer.replace('UDP/TLS/RTP/SAVPF', 'RTP/AVP'), 'unsupported_media'],
    ['over TCP', offer.replace('UDP/TLS/RTP/SAVPF', 'TCP/TLS/RTP/SAVPF'), 'unsupported_media'],
    ['with a port of its own for RTCP', offer.replace('a=rtcp-mux\r\n', ''), 'unsupported_media'],
    ['without Opus', offer.replace('opus/48000/2', 'speex/32000'), 'unsupported_media'],
    ['with VP9 alone', offer.replaceAll(/a=rtpmap:\d+ (VP8|H264)\/90000\r\n/g, ''), 'unsupported_media'],
    ['with a SHA-1 fingerprint', offer.replaceAll(/a=fingerprint.*/g, `a=fingerprint:sha-1 ${'AA:'.repeat(19)}AA`), 'malformed'],
    ['without a fingerprint', offer.replaceAll(/a=fingerprint.*\r\n/g, ''), 'malformed'],
    ['with two fingerprints', offer.replace(/(a=fingerprint:sha-256 )../, '$100'), 'malformed'],
    ['without a user fragment', offer.replace(/a=ice-ufrag.*\r\n/, ''), 'malformed'],
    ['with two user fragments', offer.replace(/(a=ice-ufrag:)(.*\r\n)/, '$1$2$1x$2'), 'malformed'],
    ['with a short ICE password', offer.replace(/a=ice-pwd.*/, 'a=ice-pwd:short'), 'malformed'],
    ['with five relay candidates', withCandidates(...[1, 2, 3, 4, 5].map((n) => candidate.replace('21001', `2100${n}`))), 'malformed'],
    ['with a host candidate beside the right one', withCandidates(candidate, candidate.replace('relay', 'host')), 'candidate_not_relay'],
  ])('%s', (_what, sdp, code) => {
    expect(outcome(sdp)).toBe(code);
  });
});

describe('a candidate', () => {
  const relayOnly: readonly (readonly [string, string, string])[] = [
    ['of the relay', candidate, 'accepted'],
    ['of the relay, as events carry it', candidate.slice(2), 'accepted'],
    ['with an upper-case transport', candidate.replace('udp', 'UDP'), 'accepted'],
    ['of the first port', candidate.replace('21001', '21000'), 'accepted'],
    ['of the last port', candidate.replace('21001', '21099'), 'accepted'],
    ['of type host', candidate.replace('relay', 'host'), 'candidate_not_relay'],
    ['of type srflx', candidate.replace('relay', 'srflx'), 'candidate_not_relay'],
    ['of type prflx', candidate.replace('relay', 'prflx'), 'candidate_not_relay'],
    ['of a type nobody knows', candidate.replace('relay', 'x'), 'candidate_not_relay'],
    ['of a hidden host', candidate.replace('127.0.0.1', 'b1946ac9.local').replace('relay', 'host'), 'candidate_not_relay'],
    ['over TCP', candidate.replace('udp', 'tcp'), 'unsupported_media'],
    ['of the second component', candidate.replace(' 1 udp', ' 2 udp'), 'unsupported_media'],
    ['of a hidden host that says relay', candidate.replace('127.0.0.1', 'b1946ac9.local'), 'unexpected_relay_address'],
    ['of another address', candidate.replace('127.0.0.1', '169.254.169.254'), 'unexpected_relay_address'],
    ['of IPv6', candidate.replace('127.0.0.1', '::1'), 'unexpected_relay_address'],
    ['of IPv4 in IPv6', candidate.replace('127.0.0.1', '::ffff:127.0.0.1'), 'unexpected_relay_address'],
    ['of the right address, spelt otherwise', candidate.replace('127.0.0.1', '127.1'), 'unexpected_relay_address'],
    ['below the ports of the relay', candidate.replace('21001', '20999'), 'unexpected_relay_address'],
    ['above the ports of the relay', candidate.replace('21001', '21100'), 'unexpected_relay_address'],
    ['of a port that is no number', candidate.replace('21001', '2.1e4'), 'unexpected_relay_address'],
    ['without a type', 'a=candidate:1 1 udp 1 127.0.0.1 21001', 'malformed'],
    ['of nothing', '', 'malformed'],
  ];

  test.each(relayOnly)('%s: %s is %s', (_what, line, code) => {
    expect(outcomeOf(() => checkCandidate(line, offersRelay))).toBe(code);
  });

  test('that is refused is not repeated in the reason', () => {
    const secret = '203.0.113.77';
    for (const line of [candidate.replace('127.0.0.1', secret), candidate.replace('relay', secret), candidate.replace('udp', secret)]) {
      expect(() => checkCandidate(line, offersRelay)).toThrow(OfferRefused);
      expect(() => checkCandidate(line, offersRelay)).not.toThrow(secret);
    }
  });
});

test('any of 6000 offers with faults is accepted or refused by name, and quickly', () => {
  const random = seeded(3);
  const outcomes = new Map<string, number>();
  for (const browser of browsers) {
    for (let round = 0; round < 2_000; round += 1) {
      const startedAt = performance.now();
      const code = outcome(mutated(offerOf(browser), random));
      expect(performance.now() - startedAt).toBeLessThan(500);
      outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
    }
  }
  // The faults are neither all fatal nor all harmless, or nothing was tried.
  for (const code of ['accepted', 'malformed', 'unsupported_media']) expect(outcomes.get(code)).toBeGreaterThan(20);
});
