import { randomBytes } from 'node:crypto';
import type { TurnCredential } from '../../packages/server/src/turn/credentials.ts';
import {
  addressOf,
  attribute,
  attributeOf,
  decodeStun,
  encodeStun,
  errorCodeOf,
  longTermKey,
  method,
  type StunAttribute,
  type StunMessage,
  type TransportAddress,
  textOf,
  xorAddress,
} from '../../packages/server/src/turn/stun.ts';
import { openWire, type TurnWire, targetOf } from '../../packages/server/src/turn/turn-wire.ts';

/** Error code of the answer, 0 for success; null: no answer came. */
export type Answer = number | null;

type Attributes = (transactionId: Uint8Array) => readonly StunAttribute[];

const connectMethod = 0x00a;
const retransmitMs = 150;

/** A TURN client that does as it is told, right or wrong. */
export class TurnClient implements Disposable {
  readonly #wire: TurnWire;
  readonly #credential: TurnCredential;
  readonly #withinMs: number;
  readonly #waiting = new Map<string, (message: StunMessage | null) => void>();
  readonly #listeners = new Set<(data: Uint8Array) => void>();
  #session: { readonly realm: string; readonly nonce: string; readonly key: Uint8Array } | null = null;
  /** Where the relay port is; set once `allocate` succeeded. */
  relay: TransportAddress | null = null;
  /** How many things have come from peers. */
  received = 0;
  faulty = false;

  /** `withinMs`: how long an answer may take. */
  constructor(url: string, credential: TurnCredential, withinMs = 1_500) {
    const target = targetOf(url);
    if (target === null) throw new Error(`not a TURN server: ${url}`);
    this.#wire = openWire(target);
    this.#credential = credential;
    this.#withinMs = withinMs;
    this.#wire.onMessage = (bytes) => this.#receive(bytes);
    this.#wire.onFault = () => {
      this.faulty = true;
      for (const settle of this.#waiting.values()) settle(null);
    };
  }

  async allocate({
    extra = [],
    transport = 17,
  }: {
    readonly extra?: readonly StunAttribute[];
    readonly transport?: number;
  } = {}): Promise<Answer> {
    const wanted = [{ type: attribute.requestedTransport, value: Buffer.from([transport, 0, 0, 0]) }, ...extra];
    const answer = await this.#ask(method.allocate, () => wanted);
    if (answer !== null) this.relay = addressOf(answer, attribute.xorRelayedAddress);
    return codeOf(answer);
  }

  async refresh(lifetimeSeconds: number): Promise<Answer> {
    const value = Buffer.alloc(4);
    value.writeUInt32BE(lifetimeSeconds);
    return codeOf(await this.#ask(method.refresh, () => [{ type: attribute.lifetime, value }]));
  }

  async permit(...peers: readonly TransportAddress[]): Promise<Answer> {
    return codeOf(await this.#ask(method.createPermission, (id) => peers.map((peer) => peerAttribute(peer, id))));
  }

  async bindChannel(channel: number, peer: TransportAddress): Promise<Answer> {
    const value = Buffer.alloc(4);
    value.writeUInt16BE(channel);
    return codeOf(await this.#ask(method.channelBind, (id) => [{ type: attribute.channelNumber, value }, peerAttribute(peer, id)]));
  }

  /** Asks for a TCP connection to a peer: RFC 6062. */
  async connect(peer: TransportAddress): Promise<Answer> {
    return codeOf(await this.#ask(connectMethod, (id) => [peerAttribute(peer, id)]));
  }

  /** Where the server sees this client; null: it does not say. */
  async whoami(): Promise<TransportAddress | null> {
    const answer = await this.#exchange(method.binding, () => []);
    return answer === null ? null : addressOf(answer, attribute.xorMappedAddress);
  }

  send(peer: TransportAddress, data: Uint8Array): void {
    const transactionId = randomBytes(12);
    const attributes = [peerAttribute(peer, transactionId), { type: attribute.data, value: data }];
    this.#wire.send(encodeStun({ method: method.send, kind: 'indication', transactionId, attributes }, null));
  }

  sendOnChannel(channel: number, data: Uint8Array): void {
    const frame = Buffer.alloc(4 + Math.ceil(data.length / 4) * 4);
    frame.writeUInt16BE(channel);
    frame.writeUInt16BE(data.length, 2);
    frame.set(data, 4);
    this.#wire.send(frame);
  }

  raw(bytes: Uint8Array): void {
    this.#wire.send(bytes);
  }

  /** The first thing that a peer sends from now on; null when nothing comes in time. */
  async next(withinMs = this.#withinMs): Promise<Uint8Array | null> {
    const { promise, resolve } = Promise.withResolvers<Uint8Array | null>();
    this.#listeners.add(resolve);
    const late = setTimeout(() => resolve(null), withinMs);
    const data = await promise;
    clearTimeout(late);
    this.#listeners.delete(resolve);
    return data;
  }

  [Symbol.dispose](): void {
    this.#wire[Symbol.dispose]();
  }

  #receive(bytes: Uint8Array): void {
    const onChannel = (bytes[0] ?? 0) >= 0x40;
    const message = onChannel ? null : decodeStun(bytes);
    if (onChannel) this.#arrived(bytes.subarray(4, 4 + (((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0))));
    else if (message?.method === method.data) this.#arrived(attributeOf(message, attribute.data) ?? new Uint8Array());
    else if (message !== null) this.#waiting.get(Buffer.from(message.transactionId).toString('hex'))?.(message);
  }

  #arrived(data: Uint8Array): void {
    this.received += 1;
    for (const listener of [...this.#listeners]) listener(data);
  }

  /** Follows a challenge once, as clients do. */
  async #ask(number: number, attributes: Attributes): Promise<StunMessage | null> {
    const first = await this.#exchange(number, attributes);
    const code = codeOf(first);
    if (first === null || !(code === 438 || (code === 401 && this.#session === null))) return first;
    const realm = textOf(first, attribute.realm) ?? '';
    const { username, credential } = this.#credential;
    this.#session = { realm, nonce: textOf(first, attribute.nonce) ?? '', key: longTermKey(username, realm, credential) };
    return this.#exchange(number, attributes);
  }

  async #exchange(number: number, attributes: Attributes): Promise<StunMessage | null> {
    const transactionId = randomBytes(12);
    const id = transactionId.toString('hex');
    const all = [...attributes(transactionId), ...this.#signature()];
    const bytes = encodeStun({ method: number, kind: 'request', transactionId, attributes: all }, this.#session?.key ?? null);
    const { promise, resolve } = Promise.withResolvers<StunMessage | null>();
    this.#waiting.set(id, resolve);
    const late = setTimeout(() => resolve(null), this.#withinMs);
    const again = this.#wire.reliable ? undefined : setInterval(() => this.#wire.send(bytes), retransmitMs);
    this.#wire.send(bytes);
    const answer = await promise;
    clearTimeout(late);
    clearInterval(again);
    this.#waiting.delete(id);
    return answer;
  }

  #signature(): readonly StunAttribute[] {
    if (this.#session === null) return [];
    return [
      { type: attribute.username, value: Buffer.from(this.#credential.username) },
      { type: attribute.realm, value: Buffer.from(this.#session.realm) },
      { type: attribute.nonce, value: Buffer.from(this.#session.nonce) },
    ];
  }
}

function codeOf(message: StunMessage | null): Answer {
  return message === null ? null : (errorCodeOf(message) ?? 0);
}

/** IPv4 or IPv6; `::ffff:10.0.0.1` stays an IPv6 address. */
function peerAttribute(peer: TransportAddress, transactionId: Uint8Array): StunAttribute {
  return { type: attribute.xorPeerAddress, value: xorAddress(peer, transactionId) };
}
