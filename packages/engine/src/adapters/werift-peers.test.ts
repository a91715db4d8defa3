import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  GenericNack,
  PictureLossIndication,
  RtcpPayloadSpecificFeedback,
  RtcpSrPacket,
  RtcpTransportLayerFeedback,
  RtpHeader,
  RtpPacket,
} from 'werift';
import { OfferRefused, type Peer, type PeerFactory, type PeerState, type VideoCodec } from '../media/ports.ts';
import { createPeerFactory, type PeerFactoryConfig } from './werift-peers.ts';
import { Student } from './werift-student.ts';

const config: PeerFactoryConfig = {
  mediaAddress: '127.0.0.1',
  mediaPorts: [24_000, 24_199],
  relayAddresses: ['127.0.0.1'],
  relayPorts: [1_024, 65_535],
  engineRelay: null,
};
const opus = Uint8Array.of(0xf8, 0xff, 0xfe);

/** Both ends of one connection. */
class Call implements AsyncDisposable {
  readonly student: Student;
  readonly states: PeerState[] = [];
  readonly microphone: { readonly packet: Uint8Array; readonly timestamp: number; readonly sequence: number }[] = [];
  keyFramesWanted = 0;
  answerSdp = '';
  #peer: Peer | null = null;

  constructor(codec: VideoCodec = 'VP8') {
    this.student = new Student(codec);
  }

  get peer(): Peer {
    if (this.#peer === null) throw new Error('not accepted yet');
    return this.#peer;
  }

  static async open(factory: PeerFactory, codec: VideoCodec = 'VP8'): Promise<Call> {
    const call = new Call(codec);
    await call.accept(factory, await call.student.offer());
    const states = () => [call.peer.state, call.student.connection.connectionState];
    await expect.poll(states, { timeout: 10_000 }).toEqual(['connected', 'connected']);
    return call;
  }

  async accept(factory: PeerFactory, offerSdp: string): Promise<void> {
    const { peer, answerSdp } = await factory.accept({
      peerId: 'peer',
      offerSdp,
      events: {
        onState: (state) => this.states.push(state),
        onMicrophone: (packet, header) => this.microphone.push({ packet, ...header }),
        onKeyFrameWanted: () => {
          this.keyFramesWanted += 1;
        },
        onBandwidth: () => undefined,
      },
    });
    this.#peer = peer;
    this.answerSdp = answerSdp;
    await this.student.take(answerSdp);
  }

  async report(packet: RtcpPayloadSpecificFeedback | RtcpTransportLayerFeedback): Promise<void> {
    await this.student.connection.dtlsTransports[0]?.sendRtcp([packet]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer?.close();
    await this.student[Symbol.asyncDispose]();
  }
}

let factory: PeerFactory;
beforeAll(async () => {
  factory = await createPeerFactory(config);
});
afterAll(() => factory[Symbol.asyncDispose]());

/** The code of the refusal; anything else fails the test. */
async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(OfferRefused);
  return error instanceof OfferRefused ? error.code : '';
}

function candidateLines(sdp: string): readonly string[] {
  return [...new Set(sdp.split('\r\n').filter((line) => line.startsWith('a=candidate:')))];
}

test('the answer holds one candidate: the port of ours that media comes from', async () => {
  await using call = await Call.open(factory);
  const lines = candidateLines(call.answerSdp);
  expect(lines).toHaveLength(1);
  const { local, remote } = call.peer.pair ?? {};
  expect(lines[0]).toContain(` 127.0.0.1 ${local?.port} typ host`);
  expect(local?.port).toBeGreaterThanOrEqual(24_000);
  expect(local?.port).toBeLessThanOrEqual(24_199);
  expect(remote).toEqual({ type: 'relay', port: call.student.at.port, protocol: 'udp' });
});

test.each(['VP8', 'H264'] as const)('voice and %s arrive whole and in order, with the timestamps they were sent with', async (codec) => {
  await using call = await Call.open(factory, codec);
  expect(call.peer.codecs.video).toBe(codec);
  const frame = codec === 'VP8' ? Buffer.alloc(3_000, 7) : Buffer.concat([Buffer.from([0, 0, 0, 1, 0x65]), Buffer.alloc(3_000, 7)]);
  for (let nth = 0; nth < 50; nth += 1) call.peer.sendAudio(opus, nth * 960);
  for (let nth = 0; nth < 10; nth += 1) call.peer.sendVideo({ data: frame, key: nth === 0 }, nth * 3_600);
  const { audio, video } = call.student.received;
  await expect.poll(() => [audio.length, video.length]).toEqual([50, 30]);
  expect(audio.map(({ header }) => header.timestamp)).toEqual(Array.from({ length: 50 }, (_, nth) => nth * 960));
  expect(video.filter(({ header }) => header.marker).map(({ header }) => header.timestamp)).toEqual(
    Array.from({ length: 10 }, (_, nth) => nth * 3_600),
  );
  expect(call.peer.bytesSent).toBeGreaterThan(30_000);
});

test('sender reports put both tracks on one clock, to the ms', async () => {
  await using call = await Call.open(factory);
  let tick = 0;
  const pace = setInterval(() => {
    call.peer.sendAudio(opus, tick * 960);
    if (tick % 2 === 0) call.peer.sendVideo({ data: Buffer.alloc(500, 7), key: tick === 0 }, tick * 1_800);
    tick += 1;
  }, 20);
  const infos = () => call.student.received.reports.flatMap((report) => (report instanceof RtcpSrPacket ? [report] : []));
  await expect.poll(() => new Set(infos().map(({ ssrc }) => ssrc)).size, { timeout: 5_000 }).toBe(2);
  clearInterval(pace);
  const audioSsrc = call.student.received.audio[0]?.header.ssrc;
  const zeros = infos().map(({ ssrc, senderInfo: { ntpTimestamp, rtpTimestamp } }) => {
    const rate = ssrc === audioSsrc ? 48 : 90;
    return Number((ntpTimestamp * 1_000_000n) >> 32n) / 1_000 - rtpTimestamp / rate;
  });
  expect(Math.max(...zeros) - Math.min(...zeros)).toBeLessThan(1);
});

test('a lost video packet is sent again, on the stream for that', async () => {
  await using call = await Call.open(factory);
  call.peer.sendVideo({ data: Buffer.alloc(3_000, 7), key: true }, 0);
  const { video } = call.student.received;
  await expect.poll(() => video.length).toBe(3);
  const [, lost] = video;
  const nack = new GenericNack({ senderSsrc: 1, mediaSourceSsrc: lost?.header.ssrc ?? 0, lost: [lost?.header.sequenceNumber ?? 0] });
  await call.report(new RtcpTransportLayerFeedback({ feedback: nack }));
  await expect.poll(() => video.length).toBe(4);
  expect(video[3]?.header.sequenceNumber).toBe(lost?.header.sequenceNumber);
  expect(video[3]?.payload).toEqual(lost?.payload);
});

test('a browser that asks for everything again gets so much a second and no more', async () => {
  await using call = await Call.open(factory);
  call.peer.sendVideo({ data: Buffer.alloc(100_000, 7), key: true }, 0);
  const { video } = call.student.received;
  await expect.poll(() => video.length).toBeGreaterThan(80);
  const ssrc = video[0]?.header.ssrc ?? 0;
  const before = call.peer.bytesSent;
  const lost = video.map(({ header }) => header.sequenceNumber);
  for (let round = 0; round < 20; round += 1) {
    await call.report(new RtcpTransportLayerFeedback({ feedback: new GenericNack({ senderSsrc: 1, mediaSourceSsrc: ssrc, lost }) }));
  }
  await expect.poll(() => call.peer.bytesSent - before).toBeGreaterThan(150 * 1_100);
  expect(call.peer.bytesSent - before).toBeLessThan(400 * 1_150);
});

test('a key frame is asked for once, however often the browser repeats itself', async () => {
  await using call = await Call.open(factory);
  const feedback = new PictureLossIndication({ senderSsrc: 1, mediaSsrc: 2 });
  for (let nth = 0; nth < 5; nth += 1) await call.report(new RtcpPayloadSpecificFeedback({ feedback }));
  await expect.poll(() => call.keyFramesWanted).toBe(1);
});

test('what the browser received of the voice is known from its reports', async () => {
  await using call = await Call.open(factory);
  expect(call.peer.received).toBeNull();
  for (let nth = 0; nth < 25; nth += 1) call.peer.sendAudio(opus, nth * 960);
  await expect.poll(() => call.peer.received, { timeout: 10_000 }).toBe(24 * 960);
});

test('what the browser received of the picture counts for the voice that left with it', async () => {
  await using call = await Call.open(factory);
  for (let nth = 0; nth < 10; nth += 1) call.peer.sendVideo({ data: Buffer.alloc(100, 7), key: nth === 0 }, nth * 3_600);
  await expect.poll(() => call.peer.received, { timeout: 10_000 }).toBe(9 * 1_920);
});

describe('a microphone', () => {
  const rtp = (sequenceNumber: number, bytes = 60) =>
    new RtpPacket(new RtpHeader({ payloadType: 96, sequenceNumber, timestamp: sequenceNumber * 960, ssrc: 77 }), Buffer.alloc(bytes, 1));

  test('is handed on packet by packet, with its timestamps and sequence numbers', async () => {
    await using call = await Call.open(factory);
    for (let nth = 1; nth <= 20; nth += 1) call.student.speak(rtp(nth));
    await expect.poll(() => call.microphone.length).toBe(20);
    const [first, second] = call.microphone;
    expect(first?.packet).toEqual(Buffer.alloc(60, 1));
    expect((second?.sequence ?? 0) - (first?.sequence ?? 0)).toBe(1);
    expect((second?.timestamp ?? 0) - (first?.timestamp ?? 0)).toBe(960);
  });

  test('that sends more than voice needs is cut to 100 packets and 64 kbit a second', async () => {
    await using call = await Call.open(factory);
    for (let nth = 1; nth <= 400; nth += 1) call.student.speak(rtp(nth, 20));
    await using loud = await Call.open(factory);
    for (let nth = 1; nth <= 50; nth += 1) loud.student.speak(rtp(nth, 1_000));
    await expect.poll(() => call.microphone.length).toBeGreaterThanOrEqual(100);
    await expect.poll(() => loud.microphone.length).toBeGreaterThanOrEqual(8);
    expect(call.microphone.length).toBeLessThan(150);
    expect(loud.microphone.length).toBeLessThan(12);
  });
});

describe('another offer of the same connection', () => {
  test('restarts ICE while voice goes on under the same keys', async () => {
    await using call = await Call.open(factory);
    const pace = setInterval(() => call.peer.sendAudio(opus, Math.round(performance.now() * 48)), 20);
    for (let round = 0; round < 3; round += 1) {
      await call.student.take(await call.peer.renegotiate(await call.student.offer({ restart: true })));
      const before = call.student.received.audio.length;
      await expect.poll(() => call.student.received.audio.length, { timeout: 10_000 }).toBeGreaterThan(before + 20);
    }
    clearInterval(pace);
    expect(call.peer.state).toBe('connected');
    expect(call.states).not.toContain('closed');
  });

  test('may not change what is sent, or who receives it', async () => {
    await using call = await Call.open(factory);
    await using other = new Call('H264');
    const offer = await call.student.offer();
    expect(await refusal(call.peer.renegotiate(await other.student.offer()))).toBe('unsupported_media');
    expect(await refusal(call.peer.renegotiate(offer.replaceAll(/(fingerprint:sha-256 ).{5}/g, '$100:00')))).toBe('unsupported_media');
    expect(await refusal(call.peer.renegotiate(offer.slice(0, offer.indexOf('m=video')).replace('BUNDLE 0 1', 'BUNDLE 0')))).toBe(
      'unsupported_media',
    );
  });

  test('comes too late for a connection that is closed', async () => {
    await using call = await Call.open(factory);
    const offer = await call.student.offer({ restart: true });
    await call.peer.close();
    expect(await refusal(call.peer.renegotiate(offer))).toBe('superseded');
  });
});

describe('candidates that come one by one', () => {
  test('connect an offer that has none', async () => {
    await using call = new Call();
    const offer = await call.student.offer();
    const [line = ''] = candidateLines(offer);
    await call.accept(factory, offer.replaceAll(/a=candidate.*\r\n/g, ''));
    call.peer.addCandidate(line.slice('a='.length));
    await expect.poll(() => call.peer.state, { timeout: 10_000 }).toBe('connected');
  });

  test('are no more than four, of this generation, and of the relay', async () => {
    await using call = await Call.open(factory);
    const line = (port: number, rest = '') => `candidate:1 1 udp 1 127.0.0.1 ${port} typ relay raddr 0.0.0.0 rport 0${rest}`;
    for (let nth = 0; nth < 10; nth += 1) call.peer.addCandidate(line(30_000 + nth, ' ufrag old'));
    for (let nth = 0; nth < 3; nth += 1) call.peer.addCandidate(line(30_000 + nth));
    expect(() => call.peer.addCandidate(line(30_003))).toThrow(OfferRefused);
    expect(() => call.peer.addCandidate(line(30_004).replace('relay', 'host'))).toThrow(OfferRefused);
  });
});

test('a browser that says goodbye is gone at once', async () => {
  await using call = await Call.open(factory);
  const pair = call.student.connection.iceTransports[0]?.connection.nominated;
  await pair?.protocol.sendData(Buffer.from('15fefd000000000000000000020100', 'hex'), ['127.0.0.1', call.peer.pair?.local.port ?? 0]);
  await expect.poll(() => call.peer.state).toBe('closed');
});

test('a browser that falls silent is missed, and a port is free again once its peer is closed', async () => {
  await using call = await Call.open(factory);
  const port = call.peer.pair?.local.port ?? 0;
  await call.student[Symbol.asyncDispose]();
  await expect.poll(() => call.states.at(-1), { timeout: 15_000, interval: 100 }).toBe('disconnected');
  await call.peer.close();
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  socket.close();
}, 30_000);

test('ports that others have are passed over; when none is left the offer is refused and everybody else goes on', async () => {
  const taken = createSocket('udp4').bind(24_300, '127.0.0.1');
  await once(taken, 'listening');
  await using narrow = await createPeerFactory({ ...config, mediaPorts: [24_300, 24_301] });
  await using call = await Call.open(narrow);
  expect(call.peer.pair?.local.port).toBe(24_301);
  await using second = new Student();
  const request = {
    peerId: 'second',
    offerSdp: await second.offer(),
    events: { onState() {}, onMicrophone() {}, onKeyFrameWanted() {}, onBandwidth() {} },
  };
  expect(await refusal(narrow.accept(request))).toBe('no_free_port');
  await using unbindable = await createPeerFactory({ ...config, mediaAddress: '203.0.113.1' });
  expect(await refusal(unbindable.accept(request))).toBe('no_free_port');
  call.peer.sendAudio(opus, 0);
  await expect.poll(() => call.student.received.audio.length).toBe(1);
  taken.close();
});

test('200 peers that come and go leave no socket, timer or peer behind', async () => {
  await using churned = await createPeerFactory({ ...config, mediaPorts: [24_400, 24_409] });
  await using student = new Student();
  const offerSdp = await student.offer();
  const events = { onState() {}, onMicrophone() {}, onKeyFrameWanted() {}, onBandwidth() {} };
  const open = async () => (await churned.accept({ peerId: 'peer', offerSdp, events })).peer.close();
  await open();
  const count = () => process.getActiveResourcesInfo().filter((kind) => kind === 'UDPWrap' || kind === 'Timeout').length;
  const before = count();
  for (let nth = 0; nth < 200; nth += 1) await open();
  await expect.poll(count, { timeout: 5_000 }).toBeLessThanOrEqual(before);
});
