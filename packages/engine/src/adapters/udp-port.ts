import { createSocket, type Socket } from 'node:dgram';
import { OfferRefused } from '../media/ports.ts';
import type { WorkerConfig } from '../media/protocol.ts';

type Address = readonly [string, number];

/** A bound UDP socket, in the shape that werift's transports have. */
export class UdpPort {
  readonly type = 'udp';
  readonly addressFamily = 4;
  readonly host: string;
  readonly port: number;
  readonly #socket: Socket;
  closed = false;
  /** Whatever comes, from anybody. */
  onData: (data: Buffer, from: Address) => void = () => undefined;

  constructor(socket: Socket) {
    const { address, port } = socket.address();
    this.#socket = socket;
    this.host = address;
    this.port = port;
    socket.on('message', (data, from) => this.onData(data, [from.address, from.port]));
  }

  get address() {
    return this.#socket.address();
  }

  readonly send = async (data: Buffer, to?: Address): Promise<void> => {
    // A datagram that cannot be sent is a lost datagram: its error comes to the socket's listener.
    if (!this.closed && to !== undefined) this.#socket.send(data, to[1], to[0]);
  };

  readonly close = async (): Promise<void> => {
    if (this.closed) return;
    this.closed = true;
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  };
}

/** Ports that are tried before the engine says that all are taken. */
const mostAttempts = 64;

/** The `nth` port of the range or one after it. Throws `OfferRefused` when they are taken. */
export async function openUdpPort(
  { mediaAddress, mediaPorts: [first, last] }: Pick<WorkerConfig, 'mediaAddress' | 'mediaPorts'>,
  nth: number,
): Promise<UdpPort> {
  const ports = last - first + 1;
  for (let attempt = 0; attempt < Math.min(ports, mostAttempts); attempt += 1) {
    const socket = await bind(mediaAddress, first + ((nth + attempt) % ports));
    if (socket !== null) return new UdpPort(socket);
  }
  throw new OfferRefused('no_free_port', 'all media ports of this engine are taken: try again in a moment');
}

async function bind(address: string, port: number): Promise<Socket | null> {
  const socket = createSocket('udp4');
  const isBound = await new Promise<boolean>((resolve) => {
    socket.once('listening', () => resolve(true));
    // Stays: without a listener a later error, such as an ICMP answer, would end the process.
    socket.on('error', () => resolve(false));
    socket.bind({ port, address, exclusive: true });
  });
  if (isBound) return socket;
  socket.close();
  return null;
}
