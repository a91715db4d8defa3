import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  attribute,
  attributeOf,
  decodeStun,
  encodeStun,
  longTermKey,
  method,
  type StunAttribute,
  type StunMessage,
  type TransportAddress,
  textOf,
  xorAddress,
} from '../../packages/server/src/turn/stun.ts';

const realm = 'scripted';
const channel = 0x4000;

/** A TURN server for one client, which does at the right moment what servers do at any. */
export class ScriptedTurn implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #accepted = new Map<number, number>();
  #nonce = 'nonce-0';
  #client: TransportAddress | null = null;
  refuseAllocations = false;
  /** Lifetimes that were asked for and granted, s. */
  readonly refreshes: number[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes, from) => {
      const message = decodeStun(bytes);
      if (message?.kind !== 'request') return;
      this.#client = { address: from.address, port: from.port };
      this.#answer(message);
    });
  }

  static async open(): Promise<ScriptedTurn> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new ScriptedTurn(socket);
  }

  get url(): string {
    return `turn:127.0.0.1:${this.#socket.address().port}?transport=udp`;
  }

  /** Where the engine's socket is. */
  get client(): TransportAddress {
    if (this.#client === null) throw new Error('nobody came yet');
    return this.#client;
  }

  /** The one before is stale from now on. */
  changeNonce(): void {
    this.#nonce = `nonce-${randomBytes(4).toString('hex')}`;
  }

  /** How many requests of this method were granted. */
  accepted(number: number): number {
    return this.#accepted.get(number) ?? 0;
  }

  channelData(data: Buffer): Buffer {
    const head = Buffer.alloc(4);
    head.writeUInt16BE(channel);
    head.writeUInt16BE(data.length, 2);
    return Buffer.concat([head, data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
  }

  dataIndication(peer: TransportAddress, data: Buffer): Buffer {
    const transactionId = randomBytes(12);
    const attributes = [
      { type: attribute.xorPeerAddress, value: xorAddress(peer, transactionId) },
      { type: attribute.data, value: data },
    ];
    return encodeStun({ method: method.data, kind: 'indication', transactionId, attributes }, null);
  }

  send(bytes: Buffer): void {
    this.#socket.send(bytes, this.client.port, this.client.address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
  }

  #answer(message: StunMessage): void {
    const nonce = textOf(message, attribute.nonce);
    if (nonce !== this.#nonce) {
      // As coturn does it: without MESSAGE-INTEGRITY.
      this.#refuse(message, nonce === null ? 401 : 438);
      return;
    }
    if (message.method === method.allocate && this.refuseAllocations) {
      this.#refuse(message, 508, longTermKey('engine', realm, 'secret'));
      return;
    }
    this.#accepted.set(message.method, this.accepted(message.method) + 1);
    const attributes: StunAttribute[] = [];
    const asked = attributeOf(message, attribute.lifetime);
    if (message.method === method.refresh && asked !== null) this.refreshes.push(Buffer.from(asked).readUInt32BE());
    if (asked !== null) attributes.push({ type: attribute.lifetime, value: asked });
    if (message.method === method.allocate) {
      const relayed = xorAddress({ address: '127.0.0.1', port: 60_000 }, message.transactionId);
      attributes.push({ type: attribute.xorRelayedAddress, value: relayed });
      attributes.push({ type: attribute.xorMappedAddress, value: xorAddress(this.client, message.transactionId) });
    }
    const { transactionId } = message;
    this.send(encodeStun({ method: message.method, kind: 'success', transactionId, attributes }, longTermKey('engine', realm, 'secret')));
  }

  #refuse({ method: number, transactionId }: StunMessage, code: number, key: Uint8Array | null = null): void {
    const attributes = [
      { type: attribute.errorCode, value: Buffer.from([0, 0, Math.floor(code / 100), code % 100]) },
      { type: attribute.realm, value: Buffer.from(realm) },
      { type: attribute.nonce, value: Buffer.from(this.#nonce) },
    ];
    this.send(encodeStun({ method: number, kind: 'error', transactionId, attributes }, key));
  }
}
