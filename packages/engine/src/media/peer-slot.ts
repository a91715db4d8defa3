import { OfferRefused, type Peer, type PeerEvents, type PeerFactory, type PeerState } from './ports.ts';
import type { WorkerFact } from './protocol.ts';

export type PeerGone = Omit<Extract<WorkerFact, { type: 'disconnected' }>, 'type' | 'sessionId'>;

export interface PeerSlotOptions extends Pick<PeerEvents, 'onMicrophone' | 'onKeyFrameWanted' | 'onBandwidth'> {
  readonly peers: PeerFactory;
  /** Epoch ms. */
  readonly now: () => number;
  readonly onConnected: (peerId: string, pair: NonNullable<Peer['pair']>) => void;
  /** Nothing reaches the browser for now; `onResumed` or `onGone` follows. */
  readonly onInterrupted: () => void;
  readonly onResumed: () => void;
  /** Null: one that had never been connected. */
  readonly onGone: (gone: PeerGone | null) => void;
}

/** A peer that is not connected for so long is given up, ms. */
const ghostMs = 30_000;

interface Held {
  readonly peer: Peer;
  connectedAtMs: number | null;
  /** Since when it has not been connected; null: it is. */
  awayAtMs: number | null;
}

/** The one media connection of a session: a newer peer takes the place of the one before. */
export class PeerSlot {
  readonly #options: PeerSlotOptions;
  #held: Held | null = null;
  /** The newest peer asked for: an older one that is still being made is not wanted any more. */
  #wanted: string | null = null;
  #closed = false;

  constructor(options: PeerSlotOptions) {
    this.#options = options;
  }

  get peer(): Peer | null {
    return this.#held?.peer ?? null;
  }

  /** Throws `OfferRefused`. */
  async negotiate(peerId: string, offerSdp: string): Promise<string> {
    if (this.#held?.peer.peerId === peerId) return this.#held.peer.renegotiate(offerSdp);
    this.#wanted = peerId;
    const early: PeerState[] = [];
    let peer: Peer | null = null;
    const accepted = await this.#options.peers.accept({
      peerId,
      offerSdp,
      events: {
        onState: (state) => (peer === null ? void early.push(state) : this.#onState(peer, state)),
        onMicrophone: (packet, header) => this.#ifCurrent(peer, () => this.#options.onMicrophone(packet, header)),
        onKeyFrameWanted: () => this.#ifCurrent(peer, () => this.#options.onKeyFrameWanted()),
        onBandwidth: (bps) => this.#ifCurrent(peer, () => this.#options.onBandwidth(bps)),
      },
    });
    if (this.#closed || this.#wanted !== peerId) {
      await accepted.peer.close();
      throw new OfferRefused('superseded', 'a newer connection of this session took its place');
    }
    peer = accepted.peer;
    this.#leave('replaced');
    this.#held = { peer, connectedAtMs: null, awayAtMs: this.#options.now() };
    for (const state of early) this.#onState(peer, state);
    return accepted.answerSdp;
  }

  /** Throws `OfferRefused`. */
  addCandidate(peerId: string, candidate: string): void {
    if (this.#held?.peer.peerId !== peerId) throw new OfferRefused('malformed', 'this peer is not connected: negotiate first');
    this.#held.peer.addCandidate(candidate);
  }

  /** Gives up a peer whose tab is gone. */
  check(): void {
    const awayAtMs = this.#held?.awayAtMs ?? null;
    if (awayAtMs !== null && this.#options.now() - awayAtMs >= ghostMs) this.#leave('lost');
  }

  async close(): Promise<void> {
    this.#closed = true;
    const peer = this.#held?.peer;
    this.#leave('closed');
    await peer?.close();
  }

  #ifCurrent(peer: Peer | null, act: () => void): void {
    if (peer !== null && this.#held?.peer === peer) act();
  }

  #onState(peer: Peer, state: PeerState): void {
    const held = this.#held;
    if (held?.peer !== peer) return;
    switch (state) {
      case 'connected':
        held.awayAtMs = null;
        if (held.connectedAtMs === null && peer.pair !== null) {
          held.connectedAtMs = this.#options.now();
          this.#options.onConnected(peer.peerId, peer.pair);
        } else this.#options.onResumed();
        break;
      case 'connecting':
      case 'disconnected':
        held.awayAtMs ??= this.#options.now();
        this.#options.onInterrupted();
        break;
      case 'closed':
        this.#leave('lost');
        break;
    }
  }

  #leave(reason: PeerGone['reason']): void {
    const held = this.#held;
    this.#held = null;
    if (held === null) return;
    held.peer.close().catch(() => undefined);
    const { peerId, bytesSent } = held.peer;
    const { connectedAtMs } = held;
    this.#options.onGone(connectedAtMs === null ? null : { peerId, reason, connectedMs: this.#options.now() - connectedAtMs, bytesSent });
  }
}
