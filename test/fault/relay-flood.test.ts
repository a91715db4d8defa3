import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { attribute, encodeStun, method } from '../../packages/server/src/turn/stun.ts';
import { openEchoPeer } from '../support/echo-peer.ts';
import { describeWith } from '../support/loud-skip.ts';
import { startRelay } from '../support/relays.ts';
import { TurnClient } from '../support/turn-client.ts';

const datagrams = 200_000;
const seed = 20_261_123;

function randomOf(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Requests of every method, right and wrong, and things that are none. */
function hostile(random: (below: number) => number): Buffer {
  const methods = [method.binding, ...Object.values(method), 0x00a, 0x00b];
  const bytes = encodeStun(
    {
      method: methods[random(methods.length)] ?? 1,
      kind: random(4) === 0 ? 'indication' : 'request',
      transactionId: new Uint8Array(12).fill(random(256)),
      attributes: [
        { type: attribute.requestedTransport, value: new Uint8Array([17, 0, 0, 0]) },
        { type: attribute.username, value: new Uint8Array(random(600)).fill(random(256)) },
        { type: attribute.xorPeerAddress, value: new Uint8Array(random(24)).fill(random(256)) },
        { type: attribute.realm, value: Buffer.from('virtual-tutor') },
        { type: attribute.nonce, value: new Uint8Array(25).fill(random(256)) },
      ],
    },
    random(2) === 0 ? new Uint8Array(16) : null,
  );
  for (let damage = random(6); damage > 0; damage -= 1) bytes[random(bytes.length)] = random(256);
  return bytes.subarray(0, random(10) === 0 ? random(bytes.length) : bytes.length);
}

/** Linux answers on all of 127.0.0.0/8. */
async function openAttackers(count: number): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: count }, (_, at) => createSocket('udp4').bind(0, `127.0.${1 + (at >> 3)}.${1 + (at & 7)}`));
  await Promise.all(sockets.map((socket) => once(socket, 'listening')));
  return sockets;
}

/** Echoes of the flood's time may come before it. */
async function isEchoed(client: TurnClient, text: string): Promise<boolean> {
  client.sendOnChannel(0x4000, Buffer.from(text));
  for (let echoes = 0; echoes < datagrams; echoes += 1) {
    const echo = await client.next();
    if (echo === null) return false;
    if (String(echo) === text) return true;
  }
  return false;
}

describeWith(process.platform === 'linux', 'Linux')('a flood of hostile datagrams at the relay', () => {
  test(`of ${datagrams} from 200 addresses: media goes on, the process stays, and new sessions get in`, async () => {
    await using relay = await startRelay('embedded');
    await using peer = await openEchoPeer(relay.plan.mediaAddress, relay.plan.mediaPorts[0]);
    const pid = relay.pid();
    using student = new TurnClient(relay.url('udp'), relay.credential('session-1'));
    expect(await student.allocate()).toBe(0);
    expect(await student.bindChannel(0x4000, peer.at)).toBe(0);
    const random = randomOf(seed);
    const attackers = await openAttackers(200);
    let media = 0;
    for (let sent = 0; sent < datagrams; sent += 200) {
      for (const attacker of attackers) attacker.send(hostile(random), relay.plan.port, '127.0.0.1');
      student.sendOnChannel(0x4000, Buffer.alloc(160));
      media += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Behind so many, some of a student's own datagrams may find the queue full; the session stands.
    expect(await student.refresh(600)).toBe(0);
    expect(student.received).toBeGreaterThan(media / 4);
    expect(await isEchoed(student, 'still here')).toBe(true);
    using other = new TurnClient(relay.url('udp'), relay.credential('session-2'));
    expect(await other.allocate()).toBe(0);
    expect(relay.pid()).toBe(pid);
    for (const attacker of attackers) attacker.close();
  });
});
