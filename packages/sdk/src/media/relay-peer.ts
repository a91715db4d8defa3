import { TutorError } from '../errors.ts';
import type { WebrtcConfig } from '../media-contract.ts';
import { within } from '../waiting.ts';
import { relayedOnly, relayServers } from './relay-offer.ts';
import { type StatsSample, sampleOf } from './stats.ts';

export interface RelayPeerOptions {
  readonly peerId: string;
  readonly config: WebrtcConfig;
  /** Which of the relay's addresses to try. */
  readonly way: 'udp' | 'tcp';
  /** The engine's answer to an offer. */
  readonly negotiate: (peerId: string, offer: string, signal: AbortSignal) => Promise<string>;
  readonly signal: AbortSignal;
}

/** Longest wait for the relay to hand out its first address, and for further ones after it, ms. */
const gatherMs = 2_500;
const settleMs = 60;
/** From the answer to packets that may flow, ms. */
const connectMs = 6_000;

/** One WebRTC connection to the engine, through its relay and no other way. */
export class RelayPeer {
  readonly peerId: string;
  readonly #options: RelayPeerOptions;
  readonly #connection: RTCPeerConnection;
  readonly #voice: RTCRtpTransceiver;
  /** Null: the engine shows none. Browsers are silent while a picture that they were promised is not there. */
  readonly #face: RTCRtpTransceiver | null;

  private constructor(options: RelayPeerOptions) {
    this.peerId = options.peerId;
    this.#options = options;
    this.#connection = new RTCPeerConnection(configurationOf(options.config, options.way));
    // Sending from the start, so that a microphone comes and goes without another offer.
    this.#voice = this.#connection.addTransceiver('audio', { direction: 'sendrecv' });
    this.#face = options.config.voice.face ? this.#connection.addTransceiver('video', { direction: 'recvonly' }) : null;
  }

  /** Resolves once packets may flow. */
  static async open(options: RelayPeerOptions): Promise<RelayPeer> {
    if (!('RTCPeerConnection' in globalThis)) throw new TutorError('media_blocked', 'this runtime has no WebRTC');
    const peer = new RelayPeer(options);
    try {
      await peer.#negotiate({}, options.signal);
      await peer.#connected();
      return peer;
    } catch (error) {
      peer.close();
      throw error;
    }
  }

  get tracks(): readonly MediaStreamTrack[] {
    return [this.#voice, this.#face].flatMap((way) => way?.receiver.track ?? []);
  }

  /** RTP timestamp (48 kHz) of the tutor's voice that is being played; null: the browser does not say. */
  get playedRtp(): number | null {
    return this.#voice.receiver.getSynchronizationSources?.()[0]?.rtpTimestamp ?? null;
  }

  /** Null: nobody is heard. */
  async speak(track: MediaStreamTrack | null): Promise<void> {
    if (this.#connection.signalingState !== 'closed') await this.#voice.sender.replaceTrack(track);
  }

  /** Whatever else its way changes to, a connection that has left the relay is closed at once, and this rejects. */
  async sample(): Promise<StatsSample> {
    const sample = sampleOf(await this.#connection.getStats(), performance.now());
    if (sample.relayed !== false) return sample;
    this.close();
    throw new TutorError('media_blocked', 'the connection does not pass the relay');
  }

  /** A new way through the network for the same connection. */
  async restart(config: WebrtcConfig, signal: AbortSignal): Promise<void> {
    this.#connection.setConfiguration(configurationOf(config, this.#options.way));
    await this.#negotiate({ iceRestart: true }, signal);
  }

  close(): void {
    this.#connection.close();
  }

  async #negotiate(offerOptions: RTCOfferOptions, signal: AbortSignal): Promise<void> {
    const { peerId, negotiate } = this.#options;
    await this.#connection.setLocalDescription(await this.#connection.createOffer(offerOptions));
    await gathered(this.#connection, signal);
    const offer = relayedOnly(this.#connection.localDescription?.sdp ?? '');
    const sdp = await negotiate(peerId, offer, signal);
    await this.#connection.setRemoteDescription({ type: 'answer', sdp });
  }

  async #connected(): Promise<void> {
    const connection = this.#connection;
    await settled({
      limits: { signals: [this.#options.signal], timeoutMs: connectMs },
      target: connection,
      event: 'connectionstatechange',
      isSettled() {
        if (['failed', 'closed'].includes(connection.connectionState)) throw lostWay();
        return connection.connectionState === 'connected';
      },
    }).catch((error: unknown) => {
      throw TutorError.is(error) && error.code === 'timeout' ? lostWay() : error;
    });
    await this.sample();
  }
}

function lostWay(): TutorError {
  return new TutorError('relay_unavailable', 'the relay was reached, but nothing came through it');
}

function configurationOf(config: WebrtcConfig, way: 'udp' | 'tcp'): RTCConfiguration {
  return { iceServers: relayServers(config, way), iceTransportPolicy: 'relay', bundlePolicy: 'max-bundle' };
}

/** Resolves when the relay's addresses are in, or those that came in time. */
async function gathered(connection: RTCPeerConnection, signal: AbortSignal): Promise<void> {
  let settling: ReturnType<typeof setTimeout> | undefined;
  let enough = false;
  const onCandidate = ({ candidate }: RTCPeerConnectionIceEvent) => {
    if (candidate?.type !== 'relay') return;
    settling ??= setTimeout(() => {
      enough = true;
      connection.dispatchEvent(new Event('icegatheringstatechange'));
    }, settleMs);
  };
  connection.addEventListener('icecandidate', onCandidate);
  try {
    await settled({
      limits: { signals: [signal], timeoutMs: gatherMs },
      target: connection,
      event: 'icegatheringstatechange',
      isSettled: () => enough || (connection.iceGatheringState === 'complete' && hasCandidates(connection)),
    });
  } catch (error) {
    if (!TutorError.is(error) || error.code !== 'timeout') throw error;
  } finally {
    clearTimeout(settling);
    connection.removeEventListener('icecandidate', onCandidate);
  }
}

/** Right after an ICE restart Chromium still says `complete`, of the gathering before. */
function hasCandidates(connection: RTCPeerConnection): boolean {
  return connection.localDescription?.sdp.includes('\r\na=candidate:') === true;
}

interface Settling {
  readonly limits: Parameters<typeof within>[0];
  readonly target: EventTarget;
  readonly event: string;
  /** May throw: then there is nothing to wait for. */
  readonly isSettled: () => boolean;
}

async function settled({ limits, target, event, isSettled }: Settling): Promise<void> {
  let stop = () => {};
  try {
    await within(
      limits,
      () =>
        new Promise<void>((resolve, reject) => {
          const check = () => {
            try {
              if (isSettled()) resolve();
            } catch (error) {
              reject(error);
            }
          };
          target.addEventListener(event, check);
          stop = () => target.removeEventListener(event, check);
          check();
        }),
    );
  } finally {
    stop();
  }
}
