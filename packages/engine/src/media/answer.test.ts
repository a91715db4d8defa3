import { expect, test } from 'vitest';
import { candidatesOf, readAnswer } from './answer.ts';

const sections = {
  audio: ['m=audio 20000 UDP/TLS/RTP/SAVPF 111', 'a=mid:0', 'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid', 'a=rtpmap:111 OPUS/48000/2'],
  video: [
    'm=video 20000 UDP/TLS/RTP/SAVPF 96 97',
    'a=mid:v1',
    'a=extmap:3/sendonly http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
    'a=extmap:14 urn:ietf:params:rtp-hdrext:sdes:mid',
    'a=rtpmap:96 VP8/90000',
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=96',
  ],
} as const;

const sdpOf = (...lines: readonly string[]): string => ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', ...lines, ''].join('\r\n');
const both = sdpOf(...sections.audio, ...sections.video);

test('payload types, mids and extensions are those of their section', () => {
  expect(readAnswer(both, 'VP8')).toEqual({
    audio: { payloadType: 111, rtxPayloadType: null, mid: '0', midExtension: 4, transportExtension: null },
    video: { payloadType: 96, rtxPayloadType: 97, mid: 'v1', midExtension: 14, transportExtension: 3 },
  });
});

test('there is no video where none was asked for, and where its section was refused', () => {
  expect(readAnswer(both, null).video).toBeNull();
  expect(readAnswer(both.replace('m=video 20000', 'm=video 0'), 'VP8').video).toBeNull();
  expect(readAnswer(sdpOf(...sections.audio), 'VP8').video).toBeNull();
});

test('retransmissions of another codec are not taken for its own', () => {
  expect(readAnswer(both.replace('apt=96', 'apt=9'), 'VP8').video?.rtxPayloadType).toBeNull();
  expect(readAnswer(both.replace('apt=96', 'apt=961'), 'VP8').video?.rtxPayloadType).toBeNull();
});

test('an answer without audio, or without the codec it should have, is a fault', () => {
  expect(() => readAnswer(sdpOf(...sections.video), 'VP8')).toThrow('audio');
  expect(() => readAnswer(both, 'H264')).toThrow('H264');
});

test('every candidate line is found, in any section', () => {
  const lines = ['a=candidate:1 1 udp 1 127.0.0.1 20000 typ host', 'a=candidate:2 1 udp 1 127.0.0.1 20001 typ host'] as const;
  expect(candidatesOf(sdpOf(...sections.audio, lines[0], ...sections.video, lines[1]))).toEqual(lines);
});
