import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { TransportAddress } from '../../packages/server/src/turn/stun.ts';

/** Sends back what it gets, and counts. */
export interface EchoPeer extends AsyncDisposable {
  readonly at: TransportAddress;
  readonly datagrams: number;
  readonly bytes: number;
}

/** `port` 0: any. */
export async function openEchoPeer(address: string, port = 0): Promise<EchoPeer> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  let datagrams = 0;
  let bytes = 0;
  socket.on('message', (data, from) => {
    datagrams += 1;
    bytes += data.length;
    socket.send(data, from.port, from.address);
  });
  socket.bind(port, address);
  await once(socket, 'listening');
  return {
    at: { address, port: socket.address().port },
    get datagrams() {
      return datagrams;
    },
    get bytes() {
      return bytes;
    },
    [Symbol.asyncDispose]: async () => {
      socket.close();
    },
  };
}
