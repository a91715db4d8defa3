import { Session, Socket } from 'turn-server';
import type { AllowedPeers, Quotas } from './plan.ts';
import { Allowance, type Doorkeeper, isAllowedPeer, type Ledger, passwordFor } from './relay-rules.ts';
import type { TransportAddress } from './stun.ts';

export interface RelayOptions extends Doorkeeper {
  readonly realm: string;
  /** IPv4; what relay candidates name and what relay ports are bound to. */
  readonly relayAddress: string;
  /** Inclusive. */
  readonly relayPorts: readonly [number, number];
  readonly peers: AllowedPeers;
  readonly quotas: Quotas;
  /** Epoch seconds. */
  readonly nowSeconds: () => number;
}

/** What `turn-server` tells its hooks; it types them as `any`. */
interface PeerInfo {
  readonly peer: { readonly ip: string; readonly port: number };
  readonly size: number;
}
interface AllocateInfo {
  readonly transport: number;
  readonly requestedFamily: number | null;
  readonly evenPort: unknown;
  readonly reservationToken: unknown;
}
type Verdict = (allowed: boolean) => void;

/** As long as RFC 8656 suggests; renewed by the browser, and cut short when it falls silent. */
const lifetimeSeconds = 600;
/** A nonce is of one client's address and of one connection: that it lasts as long as the connection harms nobody, and 438s are mishandled by many. */
const nonceExpiryMs = 86_400_000;

/**
 * One client of the relay: `turn-server`'s protocol machine behind rules of our own, since its defaults do not hold (0.6.6,
 * read and tried): ChannelBind skips the peer filter; CONNECT opens TCP connections on a UDP allocation; quotas
 * are checked before an allocation counts and count downwards when one fails; credentials that expire end running allocations;
 * the last port of a range is never used; ports of peers are not looked at.
 */
export class RelayClient {
  readonly #socket: Socket;
  readonly #session: Session;
  readonly #ledger: Ledger;

  constructor(options: RelayOptions & { readonly ledger: Ledger }, source: TransportAddress, send: (bytes: Uint8Array) => void) {
    this.#ledger = options.ledger;
    this.#session = new Session({
      isServer: true,
      authMech: 'long-term',
      realm: options.realm,
      nonceExpiry: nonceExpiryMs,
      source: { ip: source.address, port: source.port },
      relayIp: options.relayAddress,
      maxAllocateLifetime: lifetimeSeconds,
      defaultAllocateLifetime: lifetimeSeconds,
      // Peers are judged below, by address and port.
      allowLoopback: true,
    });
    this.#admit(options);
    const socketOptions = {
      isServer: true,
      session: this.#session,
      send,
      relayIp: options.relayAddress,
      // The library takes the end of the range as exclusive.
      portRange: [options.relayPorts[0], options.relayPorts[1] + 1],
    };
    this.#socket = new Socket(socketOptions);
    this.#watch(options);
  }

  #admit({ ledger, ...options }: RelayOptions & { readonly ledger: Ledger }): void {
    const session = this.#session;
    session.on('authenticate', (username: string, _realm: string, answer: (password: string | null) => void) => {
      answer(passwordFor(username, options, { seconds: options.nowSeconds(), holds: this.allocated }));
    });
    session.on('quota', (username: string, answer: Verdict) => answer(ledger.take(this, username)));
    session.on('beforeAllocate', (info: AllocateInfo, answer: Verdict) => {
      const plain = isPlain(info);
      if (!plain) ledger.release(this);
      answer(plain);
    });
    session.on('allocate:expired', () => ledger.release(this));
    session.on('beforeConnect', (_info: PeerInfo, answer: Verdict) => answer(false));
    session.on('beforePermission', ({ peer }: PeerInfo, answer: Verdict) => answer(peer.ip === options.peers.address));
    session.on('beforeChannelBind', ({ peer }: PeerInfo, answer: Verdict) =>
      answer(isAllowedPeer(options.peers, { address: peer.ip, port: peer.port })),
    );
  }

  #watch({ peers, quotas }: RelayOptions): void {
    const passes = () => {
      const allowance = new Allowance(quotas.bytesPerSecond, performance.now());
      return ({ peer, size }: PeerInfo, answer: Verdict) =>
        answer(isAllowedPeer(peers, { address: peer.ip, port: peer.port }) && allowance.take(size, performance.now()));
    };
    this.#session.on('beforeRelay', passes());
    this.#socket.on('beforeData', passes());
    // A relayed datagram that the kernel would not take is lost, as datagrams may be.
    this.#socket.on('error', () => {});
    this.#session.on('error', () => {});
  }

  /** Whether a relay port is held. */
  get allocated(): boolean {
    return this.#session.getAllocation() !== null;
  }

  feed(bytes: Uint8Array): void {
    this.#socket.feed(bytes);
  }

  close(): void {
    this.#socket.close();
    this.#ledger.release(this);
  }
}

/** One IPv4 relay port over UDP: no TCP, no even port, no reservation of a second one, no IPv6. */
function isPlain({ transport, requestedFamily, evenPort, reservationToken }: AllocateInfo): boolean {
  return transport === 17 && (requestedFamily === null || requestedFamily === 1) && evenPort === null && reservationToken === null;
}
