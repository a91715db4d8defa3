import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket as TcpSocket } from 'node:net';
import { type Conditions, Fates, perfect } from './net-fate.ts';

/*
 * A bad network on loopback, between a browser and the relay: the browser is told this port, and what it
 * sends goes on to the target. The same seed makes the same network.
 */

export type Way = 'up' | 'down';

export interface NetSimOptions {
  /** Port on loopback that everything is for. */
  readonly target: number;
  readonly seed: number;
  /** Own port; 0: any that is free. */
  readonly port?: number;
}

/** What became of one packet. */
export interface Passed {
  /** ms since the network came up. */
  readonly atMs: number;
  readonly way: Way;
  readonly bytes: number;
  /** ms until each copy arrived; none: lost. */
  readonly fate: readonly number[];
}

interface Path {
  readonly client: RemoteInfo;
  upstream: Socket;
}

const loopback = '127.0.0.1';
/** The schedule keeps the newest so many. */
const scheduleLimit = 200_000;

export class NetSim implements AsyncDisposable {
  readonly #options: NetSimOptions;
  readonly #socket = createSocket('udp4');
  readonly #paths = new Map<string, Path>();
  readonly #fates: Readonly<Record<Way, Fates>>;
  readonly #conditions: Record<Way, Conditions> = { up: perfect, down: perfect };
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #startedAt = performance.now();
  readonly #schedule: Passed[] = [];
  #cut = false;

  private constructor(options: NetSimOptions) {
    this.#options = options;
    this.#fates = { up: new Fates(options.seed), down: new Fates(options.seed ^ 0x5f356495) };
    this.#socket.on('message', (data, client) => this.#up(data, client));
  }

  static async udp(options: NetSimOptions): Promise<NetSim> {
    const sim = new NetSim(options);
    sim.#socket.bind(options.port ?? 0, loopback);
    await once(sim.#socket, 'listening');
    return sim;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** What happened, oldest first. */
  get schedule(): readonly Passed[] {
    return this.#schedule;
  }

  /** From now on, both ways or one. What is under way arrives as planned. */
  impair(conditions: Partial<Conditions>, ways: readonly Way[] = ['up', 'down']): void {
    for (const way of ways) this.#conditions[way] = { ...perfect, ...conditions };
  }

  /** Nothing goes through, either way. */
  cut(): void {
    this.#cut = true;
  }

  mend(): void {
    this.#cut = false;
  }

  /** Every client comes from another port from now on, and what is sent to its old one is lost: it changed networks. */
  changeSourcePorts(): void {
    for (const path of this.#paths.values()) {
      path.upstream.close();
      path.upstream = this.#openUpstream(path.client);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { upstream } of this.#paths.values()) upstream.close();
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #up(data: Buffer, client: RemoteInfo): void {
    const key = `${client.address}:${client.port}`;
    const path = this.#paths.get(key) ?? { client, upstream: this.#openUpstream(client) };
    this.#paths.set(key, path);
    this.#pass('up', data, () => path.upstream.send(data, this.#options.target, loopback, ignore));
  }

  #openUpstream(client: RemoteInfo): Socket {
    const upstream = createSocket('udp4');
    // A port that nobody listens on answers with an error: nothing arrived, no more.
    upstream.on('error', ignore);
    upstream.on('message', (data) => {
      this.#pass('down', data, () => this.#socket.send(data, client.port, client.address, ignore));
    });
    upstream.bind(0, loopback);
    return upstream;
  }

  #pass(way: Way, data: Buffer, deliver: () => void): void {
    const nowMs = performance.now();
    const planned = this.#fates[way].next(this.#conditions[way], nowMs);
    const fate = this.#cut ? [] : planned;
    this.#schedule.push({ atMs: nowMs - this.#startedAt, way, bytes: data.length, fate });
    if (this.#schedule.length > scheduleLimit) this.#schedule.splice(0, scheduleLimit / 2);
    for (const delayMs of fate) {
      if (delayMs < 1) deliverSafely(deliver);
      else this.#later(delayMs, deliver);
    }
  }

  #later(delayMs: number, deliver: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#cut) deliverSafely(deliver);
    }, delayMs);
    this.#timers.add(timer);
  }
}

/** A socket that was closed meanwhile has nobody at its end. */
function deliverSafely(deliver: () => void): void {
  try {
    deliver();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_SOCKET_DGRAM_NOT_RUNNING')) throw error;
  }
}

function ignore(): void {}

/** TCP over a bad path: everything arrives and in order, but late; a loss costs a retransmission. */
export class TcpSim implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<TcpSocket>();
  #conditions: Conditions = perfect;
  #cut = false;

  private constructor({ target, seed }: NetSimOptions) {
    let connections = 0;
    this.#server = createServer((client) => {
      connections += 1;
      const upstream = connect(target, loopback);
      this.#pipe(client, upstream, new Fates(seed + 2 * connections));
      this.#pipe(upstream, client, new Fates(seed + 2 * connections + 1));
    });
  }

  static async listen(options: NetSimOptions): Promise<TcpSim> {
    const sim = new TcpSim(options);
    sim.#server.listen(options.port ?? 0, loopback);
    await once(sim.#server, 'listening');
    return sim;
  }

  get port(): number {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the network is down');
    return address.port;
  }

  impair(conditions: Partial<Conditions>): void {
    this.#conditions = { ...perfect, ...conditions };
  }

  /** Nothing goes through, and nobody is told. */
  cut(): void {
    this.#cut = true;
  }

  mend(): void {
    this.#cut = false;
  }

  /** Every connection there is ends at once. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pipe(from: TcpSocket, to: TcpSocket, fates: Fates): void {
    this.#sockets.add(from);
    from.on('error', ignore);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    let lastDueMs = 0;
    from.on('data', (data) => {
      const nowMs = performance.now();
      const [delayMs = this.#conditions.delayMs + retransmissionMs] = fates.next(this.#conditions, nowMs);
      lastDueMs = Math.max(lastDueMs, nowMs + delayMs);
      const send = () => {
        if (!this.#cut) to.write(data);
      };
      if (lastDueMs - nowMs < 1) send();
      else setTimeout(send, lastDueMs - nowMs);
    });
  }
}

/** What TCP waits before it sends again, ms. */
const retransmissionMs = 200;
