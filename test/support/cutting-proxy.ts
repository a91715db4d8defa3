import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy on loopback that can cut every connection in the middle of what a client sends. */
export class CuttingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Bytes from clients until each cut that is still to come. */
  readonly #cuts: number[] = [];
  cutsMade = 0;

  private constructor(targetPort: number) {
    this.#server = createServer((client) => this.#join(client, connect(targetPort, '127.0.0.1')));
  }

  static async to(targetPort: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  /** Lets so many more bytes of clients through, then breaks what is open; for each figure once, one after the other. */
  cutAfter(...bytes: readonly number[]): void {
    this.#cuts.push(...bytes);
  }

  #join(client: Socket, target: Socket): void {
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    client.on('data', (chunk) => this.#pass(chunk, target));
    target.on('data', (chunk) => client.write(chunk));
  }

  #pass(chunk: Buffer, target: Socket): void {
    const left = this.#cuts[0];
    if (left === undefined || chunk.length <= left) {
      if (left !== undefined) this.#cuts[0] = left - chunk.length;
      target.write(chunk);
      return;
    }
    this.#cuts.shift();
    this.cutsMade += 1;
    // What was let through arrives before the connection goes.
    target.write(chunk.subarray(0, left), () => {
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
