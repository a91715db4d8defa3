import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy on loopback whose connections can go dead without a word, as when a laptop changes networks. */
export class BlackHoleProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #live = new Set<Socket>();

  private constructor(targetPort: number) {
    this.#server = createServer((client) => this.#join(client, connect(targetPort, '127.0.0.1')));
  }

  static async to(targetPort: number): Promise<BlackHoleProxy> {
    const proxy = new BlackHoleProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  /** From now on nothing goes through the connections there are; new ones work. */
  swallow(): void {
    this.#live.clear();
  }

  #join(client: Socket, target: Socket): void {
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      this.#sockets.add(from);
      this.#live.add(from);
      from.on('data', (chunk) => {
        if (this.#live.has(from)) to.write(chunk);
      });
      from.on('error', () => from.destroy());
      from.on('close', () => {
        if (this.#live.has(from)) to.destroy();
        this.#live.delete(from);
        this.#sockets.delete(from);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
