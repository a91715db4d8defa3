import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy on loopback, in front of an engine or a database, with the faults that networks have. */
export class FaultyProxy implements AsyncDisposable {
  /** What becomes of what the target says: it passes, is swallowed, or cuts the connection in its place (the answer to a commit is lost). */
  answers: 'pass' | 'swallow' | 'cut' = 'pass';
  cutsMade = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Those that something still goes through. */
  readonly #live = new Set<Socket>();
  /** Bytes from clients until each cut that is still to come. */
  readonly #cuts: number[] = [];

  private constructor(targetPort: number) {
    this.#server = createServer((client) => this.#join(client, connect(targetPort, '127.0.0.1')));
  }

  static async to(targetPort: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** From now on nothing goes through the connections there are, without a word, as when a laptop changes networks; new ones work. */
  goDead(): void {
    this.#live.clear();
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
      this.#live.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => {
        if (this.#live.has(one)) other.destroy();
        this.#live.delete(one);
        this.#sockets.delete(one);
      });
    }
    client.on('data', (chunk) => this.#live.has(client) && this.#ask(chunk, target));
    target.on('data', (chunk) => this.#live.has(target) && this.#answer(chunk, client));
  }

  #ask(chunk: Buffer, target: Socket): void {
    const left = this.#cuts[0];
    if (left === undefined || chunk.length <= left) {
      if (left !== undefined) this.#cuts[0] = left - chunk.length;
      target.write(chunk);
      return;
    }
    this.#cuts.shift();
    this.cutsMade += 1;
    // What was let through arrives before the connection goes.
    target.write(chunk.subarray(0, left), () => this.#breakAll());
  }

  #answer(chunk: Buffer, client: Socket): void {
    if (this.answers === 'pass') client.write(chunk);
    if (this.answers === 'cut') client.destroy();
  }

  #breakAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#breakAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
