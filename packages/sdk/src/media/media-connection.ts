import { jitteredMs } from '../backoff.ts';
import { asTutorError, TutorError } from '../errors.ts';
import type { WebrtcConfig } from '../media-contract.ts';
import { uuidv7 } from '../uuid.ts';
import { sleep } from '../waiting.ts';
import type { RelayPeerOptions } from './relay-peer.ts';
import { look, startListening } from './silence.ts';
import type { StatsSample } from './stats.ts';

/** What is used of a `RelayPeer`. */
export interface ConnectedPeer {
  /** Rejects when the peer is not to be used any more. */
  sample(): Promise<StatsSample>;
  restart(config: WebrtcConfig, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface ConnectionOptions<Peer extends ConnectedPeer> {
  readonly config: (signal: AbortSignal) => Promise<WebrtcConfig>;
  readonly negotiate: (offer: { readonly peerId: string; readonly offer: string }, signal: AbortSignal) => Promise<string>;
  readonly open: (options: RelayPeerOptions) => Promise<Peer>;
  readonly onConfig: (config: WebrtcConfig) => void;
  readonly onConnected: (peer: Peer) => void;
  /** Nothing comes through any more; it is being put right. */
  readonly onLost: (error: TutorError | null) => void;
  /** It is text for now. `retrying`: until it succeeds. */
  readonly onFailed: (error: TutorError | null, retrying: boolean) => void;
  /** ms. */
  readonly now: () => number;
}

/** How often the packets are counted, ms. */
const lookMs = 300;
/** Without a packet for so long it is text, ms. */
const textAfterMs = 8_000;
/** Least wait between two tries, ms. */
const leastWaitMs = 300;
/** Tries after which the waits stay at their longest. */
const maxDoublings = 6;

/** Keeps one peer after the other connected, until `stop`. */
export class MediaConnection<Peer extends ConnectedPeer> {
  readonly #options: ConnectionOptions<Peer>;
  readonly #stopped = new AbortController();
  #outage: ReturnType<typeof setTimeout> | undefined;
  #lastError: TutorError | null = null;
  #wake: () => void = () => {};
  #peer: Peer | null = null;

  constructor(options: ConnectionOptions<Peer>) {
    this.#options = options;
    void this.#run();
  }

  /** The network or the engine came back: whatever is waited for is tried now. */
  nudge(): void {
    this.#wake();
  }

  /** Ends it for a reason that trying again would not mend. */
  abandon(error: TutorError): void {
    this.stop();
    this.#options.onFailed(error, false);
  }

  stop(): void {
    this.#stopped.abort();
    this.#wake();
    clearTimeout(this.#outage);
    this.#peer?.close();
    this.#peer = null;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    this.#beginOutage(0);
    for (let failures = 0; !signal.aborted; ) {
      const peer = await this.#connect(failures);
      if (signal.aborted) {
        peer?.close();
        return;
      }
      if (peer === null) {
        if (this.#lastError !== null && isFinal(this.#lastError)) return this.abandon(this.#lastError);
        await this.#wait(this.#lastError?.retryAfterMs ?? Math.max(leastWaitMs, jitteredMs(Math.min(failures, maxDoublings))));
        failures += 1;
        continue;
      }
      failures = 0;
      await this.#keep(peer);
    }
  }

  async #connect(failures: number): Promise<Peer | null> {
    const { signal } = this.#stopped;
    const { config: ask, negotiate, open, onConfig } = this.#options;
    try {
      const config = await ask(signal);
      if (signal.aborted) return null;
      onConfig(config);
      const { speaks, listens, face } = config.voice;
      if (!speaks && !listens && !face)
        throw new TutorError('media_unavailable', 'this engine has neither voice nor face for this language');
      return await open({
        peerId: uuidv7(),
        config,
        // Every other try by TCP: some networks let no UDP out.
        way: failures % 2 === 0 ? 'udp' : 'tcp',
        negotiate: (peerId, offer, cut) => negotiate({ peerId, offer }, cut),
        signal,
      });
    } catch (error) {
      this.#lastError = asTutorError(error);
      return null;
    }
  }

  /** Resolves when the peer is of no more use. */
  async #keep(peer: Peer): Promise<void> {
    const kept = new AbortController();
    try {
      await this.#watch(peer, kept.signal);
    } finally {
      kept.abort();
    }
  }

  async #watch(peer: Peer, kept: AbortSignal): Promise<void> {
    const { signal } = this.#stopped;
    this.#peer = peer;
    this.#endOutage();
    this.#options.onConnected(peer);
    let silence = startListening(this.#options.now());
    let lost = false;
    while (!signal.aborted) {
      await this.#wait(lookMs);
      const packets = await packetsOf(peer);
      if (signal.aborted) return;
      const nowMs = this.#options.now();
      const seen = packets === null ? { silence, remedy: 'replace' as const } : look(silence, { packets, nowMs });
      const alive = packets !== null && packets !== silence.packets;
      silence = seen.silence;
      if (alive && lost) {
        lost = false;
        this.#endOutage();
        this.#options.onConnected(peer);
      }
      if (seen.remedy === 'none') continue;
      if (!lost) {
        lost = true;
        this.#beginOutage(nowMs - silence.sinceMs);
        this.#options.onLost(null);
      }
      if (seen.remedy === 'replace') break;
      this.#restart(peer, kept);
    }
    this.#peer = null;
    peer.close();
  }

  /**
   * Goes on beside the watch, which replaces the peer when this does not help. An offer of a peer that was replaced must not
   * reach the engine any more: it would take the place of the new one.
   */
  #restart(peer: Peer, kept: AbortSignal): void {
    this.#options
      .config(kept)
      .then((config) => (kept.aborted ? undefined : peer.restart(config, kept)))
      .catch((error: unknown) => {
        this.#lastError = asTutorError(error);
      });
  }

  /** `silentMs`: how long it has lasted already. */
  #beginOutage(silentMs: number): void {
    this.#lastError = null;
    this.#outage ??= setTimeout(() => this.#options.onFailed(this.#lastError, true), textAfterMs - silentMs);
  }

  #endOutage(): void {
    clearTimeout(this.#outage);
    this.#outage = undefined;
  }

  async #wait(ms: number): Promise<void> {
    const over = new AbortController();
    this.#wake = () => over.abort();
    if (this.#stopped.signal.aborted) return;
    await sleep(ms, over.signal).catch(() => {});
  }
}

/** Not worth another try, whoever made the mistake. */
function isFinal({ code, retryable }: TutorError): boolean {
  return !retryable && code !== 'internal';
}

/** Null: the peer is not to be used any more. */
async function packetsOf(peer: ConnectedPeer): Promise<number | null> {
  const sample = await peer.sample().catch(() => null);
  return sample?.packets ?? null;
}
