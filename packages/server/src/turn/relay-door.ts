import { RelayClient, type RelayOptions } from './relay-client.ts';
import { bindingAnswer, knockOf, Ledger } from './relay-rules.ts';
import type { TransportAddress } from './stun.ts';

/** One UDP address or TCP connection, as its transport sees it. */
export interface Visitor {
  /** Unique: transport, address and port. */
  readonly key: string;
  readonly source: TransportAddress;
  readonly send: (bytes: Uint8Array) => void;
  /** It may go: it never allocated, or fell silent. */
  dismiss(): void;
}

interface Guest {
  readonly visitor: Visitor;
  readonly client: RelayClient;
  readonly arrivedAtMs: number;
  heardAtMs: number;
}

/** A browser allocates within two round trips; who takes longer starts again, ms. */
const strangerStaysMs = 10_000;
/** A browser sends at least its consent checks, every 5 s at most (RFC 7675): who is silent this long is gone, ms. */
const silentStaysMs = 30_000;
const sweepEveryMs = 2_000;
/** Anybody can claim to be a new client, from any address: so strangers are few, and the oldest make room. */
const maxStrangers = 2_000;
const maxStrangersPerAddress = 200;

/** Who is inside. Shared by all transports. */
export class RelayDoor implements Disposable {
  readonly #options: RelayOptions & { readonly ledger: Ledger };
  readonly #guests = new Map<string, Guest>();
  /** Those without an allocation, oldest first. */
  readonly #strangers = new Map<string, Guest>();
  readonly #strangersPerAddress = new Map<string, number>();
  readonly #sweeper = setInterval(() => this.#sweep(), sweepEveryMs);

  constructor(options: RelayOptions) {
    this.#options = { ...options, ledger: new Ledger(options.quotas, options.user === null ? [] : [options.user.username]) };
  }

  get guests(): number {
    return this.#guests.size;
  }

  /** One message of a client. `visit` says who it is, and is called when that need be known. */
  receive(key: string, bytes: Uint8Array, visit: () => Visitor): void {
    const knock = knockOf(bytes);
    if (knock === null) return;
    if (knock === 'binding') {
      const { source, send } = visit();
      send(bindingAnswer(bytes, source));
      return;
    }
    const guest = this.#guests.get(key) ?? (knock === 'allocate' ? this.#welcome(visit()) : null);
    if (guest === null) return;
    guest.heardAtMs = performance.now();
    guest.client.feed(bytes);
    if (guest.client.allocated) this.#forgetStranger(key);
  }

  /** The transport ended. */
  leave(key: string): void {
    const guest = this.#guests.get(key);
    if (guest === undefined) return;
    this.#guests.delete(key);
    this.#forgetStranger(key);
    guest.client.close();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sweeper);
    for (const key of [...this.#guests.keys()]) this.#dismiss(key);
  }

  #welcome(visitor: Visitor): Guest | null {
    const { address } = visitor.source;
    const fromThere = this.#strangersPerAddress.get(address) ?? 0;
    if (fromThere >= maxStrangersPerAddress) return null;
    const [oldest] = this.#strangers.keys();
    if (this.#strangers.size >= maxStrangers && oldest !== undefined) this.#dismiss(oldest);
    const arrivedAtMs = performance.now();
    const client = new RelayClient(this.#options, visitor.source, visitor.send);
    const guest = { visitor, client, arrivedAtMs, heardAtMs: arrivedAtMs };
    this.#guests.set(visitor.key, guest);
    this.#strangers.set(visitor.key, guest);
    this.#strangersPerAddress.set(address, fromThere + 1);
    return guest;
  }

  #forgetStranger(key: string): void {
    const guest = this.#strangers.get(key);
    if (guest === undefined) return;
    this.#strangers.delete(key);
    const { address } = guest.visitor.source;
    const left = (this.#strangersPerAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#strangersPerAddress.delete(address);
    else this.#strangersPerAddress.set(address, left);
  }

  #dismiss(key: string): void {
    const guest = this.#guests.get(key);
    this.leave(key);
    guest?.visitor.dismiss();
  }

  #sweep(): void {
    const now = performance.now();
    for (const [key, guest] of [...this.#guests]) {
      const stays = guest.client.allocated
        ? guest.heardAtMs + silentStaysMs
        : Math.max(guest.arrivedAtMs, guest.heardAtMs) + strangerStaysMs;
      if (now > stays) this.#dismiss(key);
    }
  }
}
