import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { cutFrames } from './frames.ts';

/** A client's side of a way to a TURN server. */
export interface TurnWire extends Disposable {
  /** Over a stream nothing is lost, and nothing need be sent again. */
  readonly reliable: boolean;
  send(bytes: Uint8Array): void;
  /** One whole message. */
  onMessage: (bytes: Uint8Array) => void;
  onFault: (reason: string) => void;
}

export interface TurnTarget {
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
}

const maxFrameBytes = 65_559;

/** Null: not the URL of a TURN server (RFC 7065). */
export function targetOf(url: string): TurnTarget | null {
  const [, scheme, host = '', port, transport] = /^(turns?):(.+?)(?::(\d+))?(?:\?transport=(udp|tcp))?$/.exec(url) ?? [];
  if (host === '') return null;
  const secure = scheme === 'turns';
  return {
    host: host.replaceAll(/^\[|\]$/g, ''),
    port: Number(port ?? (secure ? 5349 : 3478)),
    transport: secure ? 'tls' : transport === 'tcp' ? 'tcp' : 'udp',
  };
}

export function openWire(target: TurnTarget): TurnWire {
  return target.transport === 'udp' ? overUdp(target) : overStream(target);
}

function overUdp({ host, port }: TurnTarget): TurnWire {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const wire: TurnWire = {
    reliable: false,
    send: (bytes) => socket.send(bytes, port, host),
    onMessage: () => {},
    onFault: () => {},
    [Symbol.dispose]: () => socket.close(),
  };
  socket.on('message', (bytes) => wire.onMessage(bytes));
  socket.on('error', (error) => wire.onFault(error.message));
  return wire;
}

function overStream({ host, port, transport }: TurnTarget): TurnWire {
  const socket = transport === 'tls' ? connectTls({ host, port, servername: host }) : connect({ host, port });
  let held: Uint8Array = new Uint8Array();
  const wire: TurnWire = {
    reliable: true,
    send: (bytes) => socket.write(bytes),
    onMessage: () => {},
    onFault: () => {},
    [Symbol.dispose]: () => socket.destroy(),
  };
  socket.on('data', (bytes) => {
    const cut = cutFrames(Buffer.concat([held, bytes]), maxFrameBytes);
    if (cut === null) {
      socket.destroy();
      wire.onFault('it speaks something else than TURN');
      return;
    }
    held = cut.rest;
    for (const frame of cut.frames) wire.onMessage(frame);
  });
  socket.on('error', (error) => wire.onFault(error.message));
  socket.on('close', () => wire.onFault('it closed the connection'));
  return wire;
}
