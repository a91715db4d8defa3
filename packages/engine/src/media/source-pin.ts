import { maxCandidates, type RelayCandidate } from './offer.ts';

/*
 * Which datagrams reach WebRTC code at all: those of one session's own relay address, as authenticated signalling
 * named it, in numbers that a browser needs. werift would parse anything from anybody: one stray unencrypted DTLS
 * record silences a session. No I/O.
 */

/** A browser sends 50 packets of voice a second, and as many reports and requests at most; bursts at the start. */
const mostDatagrams = 1_000;
/** A browser sends one source and its retransmissions; werift keeps a state for each one for ever. */
const mostSources = 8;

export class SourcePin {
  /** Of the newest offer, and of the one before it until ICE is done with the restart: `address:port`. */
  #current: readonly RelayCandidate[] = [];
  #before: readonly RelayCandidate[] = [];
  #admitted: ReadonlySet<string> = new Set();
  readonly #sources = new Set<number>();
  readonly #now: () => number;
  #budget = { datagrams: mostDatagrams, atMs: 0 };
  /** When an admitted datagram came last. */
  heardAtMs = 0;
  dropped = 0;

  /** Ms of any steady clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get candidates(): readonly RelayCandidate[] {
    return this.#current;
  }

  /** Another generation of ICE begins; the addresses of the one before stay until `settle`. */
  replace(candidates: readonly RelayCandidate[]): void {
    this.#before = this.#current;
    this.#current = [...candidates];
    this.#admit();
  }

  /** False: there are too many already. */
  add(candidate: RelayCandidate): boolean {
    const isKnown = this.#current.some(({ address, port }) => address === candidate.address && port === candidate.port);
    if (!isKnown && this.#current.length >= maxCandidates) return false;
    if (!isKnown) this.#current = [...this.#current, candidate];
    this.#admit();
    return true;
  }

  /** The newest generation is connected: nothing else is admitted any more. */
  settle(): void {
    this.#before = [];
    this.#admit();
  }

  admits(data: Uint8Array, address: string, port: number): boolean {
    if (this.#admitted.has(`${address}:${port}`) && this.#isWithinRate() && this.#isKnownSource(data)) {
      this.heardAtMs = this.#now();
      return true;
    }
    this.dropped += 1;
    return false;
  }

  #admit(): void {
    this.#admitted = new Set([...this.#before, ...this.#current].map(({ address, port }) => `${address}:${port}`));
  }

  /** A token bucket of one second. */
  #isWithinRate(): boolean {
    const nowMs = this.#now();
    const gained = ((nowMs - this.#budget.atMs) / 1_000) * mostDatagrams;
    const datagrams = Math.min(mostDatagrams, this.#budget.datagrams + gained);
    const isWithin = datagrams >= 1;
    this.#budget = { datagrams: isWithin ? datagrams - 1 : datagrams, atMs: nowMs };
    return isWithin;
  }

  /** The SSRC of RTP, or of an RTCP report's sender, RFC 7983 and RFC 5761; anything else passes. */
  #isKnownSource(data: Uint8Array): boolean {
    const [first = 0, second = 0] = data;
    if (first < 128 || first > 191 || data.length < 12) return true;
    const isRtcp = second >= 192 && second <= 223;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const source = view.getUint32(isRtcp ? 4 : 8);
    if (this.#sources.has(source)) return true;
    if (this.#sources.size >= mostSources) return false;
    this.#sources.add(source);
    return true;
  }
}
