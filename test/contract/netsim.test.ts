import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NetSim, TcpSim } from '../support/netsim.ts';

/** Answers everybody, and knows where they came from. */
class Echo {
  readonly socket = createSocket('udp4');
  readonly sources = new Set<number>();

  async listen(): Promise<number> {
    this.socket.on('message', (data, { port, address }) => {
      this.sources.add(port);
      this.socket.send(data, port, address);
    });
    this.socket.bind(0, '127.0.0.1');
    await once(this.socket, 'listening');
    return this.socket.address().port;
  }
}

async function boundSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

describe('a bad network between a client and a server', () => {
  let echo: Echo;
  let client: Socket;
  let answers: number[];
  let target: number;

  beforeEach(async () => {
    echo = new Echo();
    target = await echo.listen();
    client = await boundSocket();
    answers = [];
    client.on('message', (data) => answers.push(data.readUInt32LE(0)));
  });
  afterEach(() => {
    echo.socket.close();
    client.close();
  });

  function send(port: number, from: number, count: number): void {
    for (let number = from; number < from + count; number += 1) {
      const data = Buffer.alloc(8);
      data.writeUInt32LE(number);
      client.send(data, port, '127.0.0.1');
    }
  }

  test('loses the same packets in every run with the same seed', async () => {
    const lost: (readonly number[])[] = [];
    for (let run = 0; run < 2; run += 1) {
      await using sim = await NetSim.udp({ target, seed: 11 });
      sim.impair({ loss: 0.3 }, ['up']);
      answers.length = 0;
      send(sim.port, 0, 100);
      await expect.poll(() => sim.schedule.filter(({ way }) => way === 'up').length).toBe(100);
      const arriving = sim.schedule.filter(({ way, fate }) => way === 'up' && fate.length > 0).length;
      await expect.poll(() => answers.length).toBe(arriving);
      expect(arriving).toBeLessThan(90);
      lost.push([...answers]);
    }
    expect(lost[0]).toEqual(lost[1]);
  });

  test('delays both ways, and says by how much', async () => {
    await using sim = await NetSim.udp({ target, seed: 1 });
    sim.impair({ delayMs: 40, jitterMs: 10 });
    const sentAt = performance.now();
    send(sim.port, 1, 1);
    await expect.poll(() => answers).toEqual([1]);
    expect(performance.now() - sentAt).toBeGreaterThan(75);
    expect(sim.schedule.map(({ way }) => way)).toEqual(['up', 'down']);
    for (const { fate } of sim.schedule) expect(fate[0]).toBeGreaterThanOrEqual(40);
  });

  test('lets nothing through while it is cut, and everything once it is mended', async () => {
    await using sim = await NetSim.udp({ target, seed: 1 });
    send(sim.port, 1, 1);
    await expect.poll(() => answers).toEqual([1]);
    sim.cut();
    send(sim.port, 2, 5);
    await expect.poll(() => sim.schedule.filter(({ fate }) => fate.length === 0).length).toBe(5);
    sim.mend();
    send(sim.port, 9, 1);
    await expect.poll(() => answers).toEqual([1, 9]);
  });

  test('lets a client come from another port', async () => {
    await using sim = await NetSim.udp({ target, seed: 1 });
    send(sim.port, 1, 1);
    await expect.poll(() => answers).toEqual([1]);
    sim.changeSourcePorts();
    send(sim.port, 2, 1);
    await expect.poll(() => answers).toEqual([1, 2]);
    expect(echo.sources.size).toBe(2);
  });

  test('delivers a TCP stream late but whole, and resets it when asked', async () => {
    const server = createServer((socket) => socket.on('error', () => socket.destroy()).pipe(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    {
      await using sim = await TcpSim.listen({ target: address.port, seed: 3 });
      sim.impair({ delayMs: 20, loss: 0.2 });
      const socket = connect(sim.port, '127.0.0.1');
      let received = '';
      socket.on('data', (data) => {
        received += data.toString();
      });
      await once(socket, 'connect');
      let sent = '';
      for (let line = 0; line < 20; line += 1) {
        sent += `${line}\n`;
        socket.write(`${line}\n`);
      }
      await expect.poll(() => received).toBe(sent);
      const fault = once(socket, 'error');
      sim.reset();
      expect(await fault).toMatchObject([{ code: 'ECONNRESET' }]);
    }
    server.close();
  });
});
