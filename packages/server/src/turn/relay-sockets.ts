import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, isIPv6, type Server, type Socket as TcpSocket } from 'node:net';
import { cutFrames } from './frames.ts';
import type { RelayDoor } from './relay-door.ts';
import { maxMessageBytes } from './relay-rules.ts';

/** A listener that could not be opened, by name: `UDP port 10110 is taken`. */
export class PortRefused extends Error {
  override readonly name = 'PortRefused';
}

/** A burst of key frames must not be lost between kernel and process, bytes. */
const socketBufferBytes = 4_194_304;
/** More than this waiting for one slow TCP reader, and media is dropped as a congested network would, bytes. */
const maxWaitingBytes = 131_072;
const maxTcpConnections = 2_000;
/** Nothing in or out over TCP, ms. */
const tcpSilentMs = 30_000;

export async function listenUdp(door: RelayDoor, address: string, port: number): Promise<UdpSocket> {
  const socket = isIPv6(address) ? createSocket({ type: 'udp6', ipv6Only: true }) : createSocket('udp4');
  socket.on('message', (bytes, { address: from, port: fromPort }) => {
    const key = `udp ${from} ${fromPort}`;
    door.receive(key, bytes, () => ({
      key,
      source: { address: from, port: fromPort },
      send: (answer) => socket.send(answer, fromPort, from, () => {}),
      dismiss: () => {},
    }));
  });
  await opened(`UDP port ${port}`, socket, () => socket.bind({ address, port, exclusive: true }));
  for (const grow of [() => socket.setRecvBufferSize(socketBufferBytes), () => socket.setSendBufferSize(socketBufferBytes)]) {
    try {
      grow();
    } catch {
      // What the system allows is what there is.
    }
  }
  return socket;
}

export async function listenTcp(door: RelayDoor, address: string, port: number): Promise<Server> {
  const server = createServer({ noDelay: true }, (connection) => serve(door, connection));
  server.maxConnections = maxTcpConnections;
  await opened(`TCP port ${port}`, server, () => server.listen({ host: address, port, ipv6Only: isIPv6(address), exclusive: true }));
  return server;
}

async function opened(what: string, socket: UdpSocket | Server, open: () => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const failed = (cause: NodeJS.ErrnoException) =>
    reject(new PortRefused(`${what} ${cause.code === 'EADDRINUSE' ? 'is taken' : `cannot be opened (${cause.code})`}`, { cause }));
  socket.once('error', failed);
  socket.once('listening', () => resolve());
  open();
  await promise;
  socket.off('error', failed);
  socket.on('error', () => {});
}

function serve(door: RelayDoor, connection: TcpSocket): void {
  const { remoteAddress = '', remotePort = 0 } = connection;
  const key = `tcp ${remoteAddress} ${remotePort}`;
  const visitor = {
    key,
    source: { address: remoteAddress, port: remotePort },
    send: (bytes: Uint8Array) => {
      if (connection.writableLength < maxWaitingBytes) connection.write(padded(bytes));
    },
    dismiss: () => connection.destroy(),
  };
  let held: Uint8Array = new Uint8Array();
  connection.setTimeout(tcpSilentMs, () => connection.destroy());
  connection.on('error', () => {});
  connection.on('close', () => door.leave(key));
  connection.on('data', (bytes) => {
    const cut = cutFrames(held.length === 0 ? bytes : Buffer.concat([held, bytes]), maxMessageBytes);
    if (cut === null) {
      connection.destroy();
      return;
    }
    held = cut.rest;
    for (const frame of cut.frames) door.receive(key, frame, () => visitor);
  });
}

/** On a stream, ChannelData fills up to four bytes; the library does not. */
function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 4 === 0) return bytes;
  const whole = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
  whole.set(bytes);
  return whole;
}
