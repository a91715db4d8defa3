import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { TransportAddress } from '../../packages/server/src/turn/stun.ts';
import { openEchoPeer } from './echo-peer.ts';
import { coturnUser, type RelayKind, startRelay, until } from './relays.ts';
import { TurnClient } from './turn-client.ts';

/*
 * Runs in a network namespace where every address of `forbidden` is this machine's own, with a
 * listener on it: what the relay lets through is seen, whatever it answers.
 */

export interface ReachReport {
  /** Peers tried, each by CreatePermission, ChannelBind and Send. */
  readonly tried: number;
  /** Addresses that a datagram sent without a relay reached: the listeners hear. */
  readonly audible: readonly string[];
  /** Requests that were granted, e.g. `bind 10.1.2.3:33000`. */
  readonly granted: readonly string[];
  /** Datagrams and TCP connections that came out of the relay. */
  readonly leaks: readonly string[];
  /** The engine's own peer answered. */
  readonly engineReached: boolean;
}

/** One of every range that RFC 6890 and RFC 5735 set apart, and one that is anybody's. */
export const forbidden = [
  '10.1.2.3',
  '100.64.1.1',
  '127.0.0.2',
  '169.254.169.254',
  '172.16.1.1',
  '192.0.0.8',
  '192.0.2.1',
  '192.168.1.1',
  '198.18.0.1',
  '203.0.113.9',
  '8.8.8.8',
] as const;
/** That no interface can have. */
const nobodys = ['0.0.0.0', '224.0.0.1', '239.1.2.3', '240.0.0.1', '255.255.255.255'];
export const forbidden6 = ['fc00::1', '2001:db8::1', '2606:4700::1111', '64:ff9b::a01:203', '2002:a01:203::1'] as const;
const nobodys6 = ['::1', '::', 'fe80::1', 'ff02::1'];

const port = 33_000;
const mediaPort = 20_417;

async function reach(kind: RelayKind): Promise<ReachReport> {
  await using relay = await startRelay(kind);
  await using engine = await openEchoPeer(relay.plan.mediaAddress, mediaPort);
  const heard: string[] = [];
  const listener = createSocket({ type: 'udp6', ipv6Only: false });
  listener.on('message', (data) => heard.push(String(data)));
  listener.bind(port, '::');
  await once(listener, 'listening');
  const tcp = createServer((connection) => {
    heard.push(`tcp from ${connection.remoteAddress}`);
    connection.destroy();
  });
  tcp.listen(port, '::');
  await once(tcp, 'listening');

  const audible = await directly();
  await until(() => audible.every((address) => heard.includes(`direct ${address}`)));
  heard.length = 0;

  const v4 = [...forbidden, ...nobodys];
  const mapped = [...v4, relay.plan.mediaAddress].map((address) => `::ffff:${address}`);
  const addresses = [...v4, ...mapped, ...forbidden6, ...nobodys6];
  const peers = addresses.map((address) => ({ address, port }));
  const granted: string[] = [];
  using client = new TurnClient(relay.url('udp'), relay.credential('session-1'));
  await client.allocate();
  await client.permit(engine.at);
  for (const [at, peer] of peers.entries()) granted.push(...(await tryPeer(client, peer, 0x4001 + at)));
  // In one request with a peer that is allowed, too.
  for (const peer of peers) if ((await client.permit(engine.at, peer)) === 0) granted.push(`permit with the engine ${peer.address}`);
  for (const address of [relay.plan.mediaAddress, '127.0.0.2'])
    if ((await client.connect({ address, port })) === 0) granted.push(`connect ${address}`);
  using stream = new TurnClient(relay.url('udp'), relay.credential('session-2'));
  if ((await stream.allocate({ transport: 6 })) === 0) granted.push('allocate TCP');

  client.send(engine.at, Buffer.from('to the engine'));
  const answer = await client.next();
  listener.close();
  tcp.close();
  return { tried: peers.length, audible, granted, leaks: heard, engineReached: String(answer) === 'to the engine' };
}

/** Sends to every address that is ours without the relay. */
async function directly(): Promise<readonly string[]> {
  for (const address of [...forbidden, ...forbidden6]) {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    await new Promise<void>((sent) => socket.send(`direct ${address}`, port, address, () => sent()));
    socket.close();
  }
  return [...forbidden, ...forbidden6];
}

/** What was granted. */
async function tryPeer(client: TurnClient, peer: TransportAddress, channel: number): Promise<readonly string[]> {
  const name = `${peer.address}:${peer.port}`;
  const permitted = (await client.permit(peer)) === 0;
  client.send(peer, Buffer.from(`sent to ${name}`));
  const bound = (await client.bindChannel(channel, peer)) === 0;
  client.sendOnChannel(channel, Buffer.from(`on a channel to ${name}`));
  return [...(permitted ? [`permit ${name}`] : []), ...(bound ? [`bind ${name}`] : [])];
}

/** Datagrams that came through coturn, as its own user, to a media port and to one beside them. */
async function reachPorts(): Promise<{ readonly media: number; readonly beside: number }> {
  const user = coturnUser();
  if (user === null) throw new Error('there is no user turnserver');
  await using relay = await startRelay('coturn', { portMin: 10_110 }, user);
  const { mediaAddress, mediaPorts } = relay.plan;
  await using media = await openEchoPeer(mediaAddress, mediaPorts[1]);
  await using beside = await openEchoPeer(mediaAddress, mediaPorts[1] + 1);
  using client = new TurnClient(relay.url('udp'), relay.credential('session-1'));
  await client.allocate();
  await client.permit(media.at);
  client.send(media.at, Buffer.from('x'));
  await client.next();
  client.send(beside.at, Buffer.from('y'));
  // coturn gives up an allocation that the firewall stops; without one, what is sent comes back.
  await client.next(500);
  return { media: media.datagrams, beside: beside.datagrams };
}

if (process.argv[1] === import.meta.filename) {
  const what = process.argv[2];
  console.log(JSON.stringify(await (what === 'ports' ? reachPorts() : reach(what === 'coturn' ? 'coturn' : 'embedded'))));
}
