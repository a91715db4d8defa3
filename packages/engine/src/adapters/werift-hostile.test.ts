import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RtcpSrPacket } from 'werift';
import { Barrage, datagramKinds } from '../../../../test/support/barrage.ts';
import { mutated, offerOf, offersRelay } from '../../../../test/support/offers.ts';
import { seeded } from '../../../../test/support/seeded.ts';
import { OfferRefused, type Peer, type PeerFactory } from '../media/ports.ts';
import { createPeerFactory, type PeerFactoryConfig } from './werift-peers.ts';
import { Student } from './werift-student.ts';

/* What others can send to a session's port, and what one student can send to his own: no lesson notices. */

const config: PeerFactoryConfig = {
  mediaAddress: '127.0.0.1',
  mediaPorts: [24_500, 24_599],
  relayAddresses: ['127.0.0.1'],
  relayPorts: [1_024, 65_535],
  engineRelay: null,
};
const opus = Uint8Array.of(0xf8, 0xff, 0xfe);
const quiet = { onState() {}, onMicrophone() {}, onKeyFrameWanted() {}, onBandwidth() {} };

interface Lesson extends AsyncDisposable {
  readonly peer: Peer;
  readonly student: Student;
}

let factory: PeerFactory;
let stranger: Socket;
beforeAll(async () => {
  factory = await createPeerFactory(config);
  stranger = createSocket('udp4').bind(0, '127.0.0.1');
  await once(stranger, 'listening');
});
afterAll(async () => {
  stranger.close();
  await factory[Symbol.asyncDispose]();
});

async function open(): Promise<Lesson> {
  const student = new Student();
  const { peer, answerSdp } = await factory.accept({ peerId: 'peer', offerSdp: await student.offer(), events: quiet });
  await student.take(answerSdp);
  await expect.poll(() => [peer.state, student.connection.connectionState], { timeout: 10_000 }).toEqual(['connected', 'connected']);
  return {
    peer,
    student,
    async [Symbol.asyncDispose]() {
      await peer.close();
      await student[Symbol.asyncDispose]();
    },
  };
}

/** Voice comes through: at once, or once a socket that was flooded in this very process has been read. */
async function expectVoice({ peer, student }: Lesson): Promise<void> {
  const before = student.received.audio.length;
  const speak = () => {
    for (let nth = 0; nth < 10; nth += 1) peer.sendAudio(opus, (student.received.audio.length + nth) * 960);
    return student.received.audio.length - before;
  };
  await expect.poll(speak, { timeout: 20_000 }).toBeGreaterThanOrEqual(10);
}

const portOf = ({ peer }: Lesson): number => peer.pair?.local.port ?? 0;

const reportsTo = ({ student }: Lesson): number => student.received.reports.filter((report) => report instanceof RtcpSrPacket).length;

test('the 15 bytes that silence a session of werift do nothing when a stranger sends them', async () => {
  await using lesson = await open();
  // A plain alert that closes, one that is fatal, a record of no known kind.
  for (const record of ['15fefd000000000000000000020100', '15fefd000000000000000000020228', '3ffefd000000000000000000020101']) {
    stranger.send(Buffer.from(record, 'hex'), portOf(lesson), '127.0.0.1');
  }
  await expectVoice(lesson);
  // Reports tell the browser how voice and face belong together: they end with DTLS.
  const before = reportsTo(lesson);
  await expect.poll(() => reportsTo(lesson) - before, { timeout: 5_000 }).toBeGreaterThanOrEqual(2);
  await expectVoice(lesson);
});

test('100000 malformed datagrams of strangers disturb no session', async () => {
  await using first = await open();
  await using second = await open();
  const barrage = new Barrage(seeded(1));
  const heapBefore = process.memoryUsage().heapUsed;
  for (let nth = 0; nth < 100_000; nth += 1) {
    const kind = datagramKinds[nth % datagramKinds.length] ?? 'stun';
    stranger.send(barrage.next(kind), portOf(nth % 2 === 0 ? first : second), '127.0.0.1');
    if (nth % 200 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (nth % 25_000 === 0) for (const lesson of [first, second]) await expectVoice(lesson);
  }
  for (const lesson of [first, second]) await expectVoice(lesson);
  expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(200e6);
}, 120_000);

test('20000 malformed datagrams of a student on his own path crash nothing and disturb nobody else', async () => {
  await using victim = await open();
  await using hostile = await open();
  const barrage = new Barrage(seeded(2));
  const pair = hostile.student.connection.iceTransports[0]?.connection.nominated;
  if (pair === undefined) throw new Error('not connected');
  const port = portOf(hostile);
  for (let nth = 0; nth < 20_000; nth += 1) {
    await pair.protocol.sendData(barrage.next(datagramKinds[nth % datagramKinds.length] ?? 'stun'), ['127.0.0.1', port]);
    if (nth % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    if (nth % 5_000 === 0) await expectVoice(victim);
  }
  await expectVoice(victim);
}, 120_000);

test('500 offers with faults are answered or refused by name, and disturb no session', async () => {
  await using lesson = await open();
  const rules = {
    ...config,
    relayAddresses: offersRelay.relayAddresses,
    relayPorts: offersRelay.relayPorts,
    mediaPorts: [24_600, 24_699],
  } as const;
  await using other = await createPeerFactory(rules);
  const random = seeded(4);
  let answered = 0;
  for (let nth = 0; nth < 500; nth += 1) {
    const offerSdp = mutated(offerOf((['chromium', 'firefox', 'safari'] as const)[nth % 3] ?? 'chromium'), random);
    try {
      const { peer, answerSdp } = await other.accept({ peerId: `peer-${nth}`, offerSdp, events: quiet });
      answered += 1;
      expect(new Set(answerSdp.split('\r\n').filter((line) => line.startsWith('a=candidate:'))).size).toBe(1);
      await peer.close();
    } catch (error) {
      expect(error).toBeInstanceOf(OfferRefused);
    }
  }
  expect(answered).toBeGreaterThan(20);
  await expectVoice(lesson);
}, 120_000);
