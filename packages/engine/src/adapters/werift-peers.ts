import {
  type IceConnection,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  type RTCRtpTransceiver,
  useAbsSendTime,
  useH264,
  useOPUS,
  useSdesMid,
  useTransportWideCC,
  useVP8,
} from 'werift';
import { candidatesOf, readAnswer } from '../media/answer.ts';
import { type CheckedOffer, checkCandidate, checkOffer, maxCandidates } from '../media/offer.ts';
import {
  type CandidateSummary,
  type Codecs,
  type EncodedFrame,
  OfferRefused,
  type Peer,
  type PeerEvents,
  type PeerFactory,
  type PeerState,
  type VideoCodec,
} from '../media/ports.ts';
import type { WorkerConfig } from '../media/protocol.ts';
import { SourcePin } from '../media/source-pin.ts';
import { MediaSender } from './werift-sender.ts';
import { forgetStart, type LocalWire, openHostWire, openRelayWire, readyKeys, relayCandidate } from './werift-wire.ts';

export type PeerFactoryConfig = Pick<WorkerConfig, 'mediaAddress' | 'mediaPorts' | 'relayAddresses' | 'relayPorts' | 'engineRelay'>;

/** A browser sends something, if only a consent check, every few seconds: after so long without it is away, ms. */
const awayMs = 6_000;
const watchMs = 500;
/** A microphone sends 50 packets a second of about 32 kbit/s; more is dropped. */
const mostMicrophonePackets = 100;
const mostMicrophoneBytes = 8_000;

/** Peers on werift, each behind a socket or an allocation of its own. */
export async function createPeerFactory(config: PeerFactoryConfig): Promise<PeerFactory> {
  const peers = new Set<WeriftPeer>();
  const [first, last] = config.mediaPorts;
  let nth = Math.floor(Math.random() * (last - first + 1));
  const watch = setInterval(() => {
    for (const peer of peers) peer.watch();
  }, watchMs);
  watch.unref();
  return {
    async accept({ peerId, offerSdp, events }) {
      const offer = checkOffer(offerSdp, config);
      const pin = new SourcePin();
      nth += 1;
      const { engineRelay, mediaAddress, mediaPorts } = config;
      const wire =
        engineRelay === null
          ? await openHostWire(config, { pin, nth })
          : await openRelayWire({ engineRelay, mediaAddress, mediaPorts, pin, nth });
      const peer = new WeriftPeer({ peerId, offer, events, wire, pin, config, onClosed: () => peers.delete(peer) });
      peers.add(peer);
      try {
        return { peer, answerSdp: await peer.answer(offer) };
      } catch (error) {
        await peer.close();
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      clearInterval(watch);
      await Promise.all([...peers].map((peer) => peer.close()));
    },
  };
}

interface WeriftPeerOptions {
  readonly peerId: string;
  readonly offer: CheckedOffer;
  readonly events: PeerEvents;
  readonly wire: LocalWire;
  readonly pin: SourcePin;
  readonly config: PeerFactoryConfig;
  readonly onClosed: () => void;
}

class WeriftPeer implements Peer {
  readonly peerId: string;
  readonly codecs: Codecs;
  readonly #options: WeriftPeerOptions;
  readonly #connection: RTCPeerConnection;
  readonly #audio: RTCRtpTransceiver;
  readonly #video: RTCRtpTransceiver | null;
  readonly #videoCodec: VideoCodec | null;
  #sender: MediaSender | null = null;
  /** Of ICE: both change with each restart. */
  #generation = 0;
  #userFragment = '';
  #state: PeerState = 'connecting';
  #microphone = { packets: mostMicrophonePackets, bytes: mostMicrophoneBytes, atMs: 0 };
  #closing: Promise<void> | null = null;
  /** Negotiations of one peer happen one after the other. */
  #negotiated: Promise<unknown> = Promise.resolve();

  constructor(options: WeriftPeerOptions) {
    this.#options = options;
    this.peerId = options.peerId;
    this.#videoCodec = options.offer.video;
    this.codecs = { video: options.offer.video ?? 'VP8' };
    this.#connection = new RTCPeerConnection({
      codecs: { audio: [useOPUS({ rtcpFeedback: [{ type: 'transport-cc' }] })], video: [videoCodec(this.codecs.video), retransmission()] },
      headerExtensions: {
        audio: [useSdesMid(), useTransportWideCC(), useAbsSendTime()],
        video: [useSdesMid(), useTransportWideCC(), useAbsSendTime()],
      },
      iceServers: [],
      iceUseIpv6: false,
      bundlePolicy: 'max-bundle',
    });
    this.#audio = this.#connection.addTransceiver('audio', { direction: 'sendrecv' });
    this.#video = this.#videoCodec === null ? null : this.#connection.addTransceiver('video', { direction: 'sendonly' });
    // One stream, so that browsers play voice and picture in step.
    for (const transceiver of [this.#audio, this.#video]) if (transceiver !== null) transceiver.sender.streamId = 'tutor';
    this.#connection.connectionStateChange.subscribe((state) => this.#onConnection(state));
  }

  get state(): PeerState {
    return this.#state;
  }

  get pair(): { readonly local: CandidateSummary; readonly remote: CandidateSummary } | null {
    const nominated = this.#ice?.nominated;
    if (nominated === undefined) return null;
    const { wire } = this.#options;
    return {
      local: { type: wire.type, port: wire.port, protocol: 'udp' },
      remote: { type: 'relay', port: nominated.remoteCandidate.port, protocol: 'udp' },
    };
  }

  get received(): number | null {
    return this.#sender?.received ?? null;
  }

  get reportsWithinMs(): number {
    return this.#sender?.reportsWithinMs ?? 0;
  }

  get bytesSent(): number {
    return this.#sender?.bytesSent ?? 0;
  }

  /** Throws `OfferRefused`. */
  answer(offer: CheckedOffer): Promise<string> {
    const answer = this.#negotiated.then(() => this.#answer(offer));
    this.#negotiated = answer.catch(() => undefined);
    return answer.catch((error: unknown) => {
      if (error instanceof OfferRefused) throw error;
      if (this.#state === 'closed') throw new OfferRefused('superseded', 'this connection is closed', { cause: error });
      throw new OfferRefused('malformed', 'this offer cannot be answered', { cause: error });
    });
  }

  async renegotiate(offerSdp: string): Promise<string> {
    const offer = checkOffer(offerSdp, this.#options.config);
    if (offer.video !== this.#videoCodec || offer.fingerprint !== this.#options.offer.fingerprint) {
      throw new OfferRefused('unsupported_media', 'media and certificate of a connection stay: open another one');
    }
    return this.answer(offer);
  }

  addCandidate(line: string): void {
    const candidate = checkCandidate(line, this.#options.config);
    // One that comes late, of the generation before a restart.
    if (candidate.userFragment !== null && candidate.userFragment !== this.#userFragment) return;
    if (!this.#options.pin.add(candidate))
      throw new OfferRefused('malformed', `a connection has at most ${maxCandidates} relay candidates`);
    this.#ice?.addRemoteCandidate(relayCandidate(candidate)).catch(() => undefined);
  }

  sendAudio(packet: Uint8Array, timestamp: number): void {
    if (this.#state === 'connected') this.#sender?.sendAudio(packet, timestamp);
  }

  sendVideo(frame: EncodedFrame, timestamp: number): void {
    if (this.#state === 'connected') this.#sender?.sendVideo(frame, timestamp);
  }

  /** Called twice a second: is the browser still there? */
  watch(): void {
    if (this.#state !== 'connected' && this.#state !== 'disconnected') return;
    const isAway = performance.now() - this.#options.pin.heardAtMs > awayMs || this.#ice?.state === 'failed';
    if (!isAway && this.#ice?.nominated !== undefined) this.#options.pin.settle();
    this.#become(isAway ? 'disconnected' : 'connected');
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  get #ice(): IceConnection | undefined {
    return this.#connection.iceTransports[0]?.connection;
  }

  async #answer(offer: CheckedOffer): Promise<string> {
    const { pin, wire } = this.#options;
    if (this.#state === 'closed') throw new OfferRefused('superseded', 'this connection is closed');
    // Before werift answers the browser's first check.
    if (offer.userFragment !== this.#userFragment) pin.replace(offer.candidates);
    else for (const candidate of offer.candidates) pin.add(candidate);
    this.#userFragment = offer.userFragment;
    await this.#connection.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
    const ice = this.#ice;
    if (ice === undefined) throw new Error('an offer makes a transport');
    wire.attach(ice);
    await this.#connection.setLocalDescription(await this.#connection.createAnswer());
    for (const candidate of pin.candidates) await ice.addRemoteCandidate(relayCandidate(candidate));
    if (this.#sender !== null) this.#restartIce(ice);
    this.#generation = ice.generation;
    const sdp = this.#connection.localDescription?.sdp ?? '';
    assertOwnCandidate(sdp, wire);
    return sdp;
  }

  /** werift starts ICE together with DTLS only: after a restart DTLS stands, and ICE would wait for ever. */
  #restartIce(ice: IceConnection): void {
    const [transport] = this.#connection.iceTransports;
    if (ice.generation === this.#generation || transport === undefined) return;
    this.#generation = ice.generation;
    forgetStart(transport);
    transport.start().catch(() => this.#become('disconnected'));
  }

  #onConnection(state: RTCPeerConnection['connectionState']): void {
    if (state === 'connected') {
      this.#start();
      this.#options.pin.heardAtMs = performance.now();
      this.#become('connected');
    } else if (state === 'failed' || state === 'disconnected') this.#become('disconnected');
    else if (state === 'closed') this.close().catch(() => undefined);
  }

  #start(): void {
    const [dtls] = this.#connection.dtlsTransports;
    if (this.#sender !== null || dtls === undefined) return;
    const { events } = this.#options;
    readyKeys(dtls);
    const settled = readAnswer(this.#connection.localDescription?.sdp ?? '', this.#videoCodec);
    this.#sender = new MediaSender({
      dtls,
      settled,
      videoCodec: this.#videoCodec,
      audioSsrc: this.#audio.sender.ssrc,
      videoSsrc: this.#video?.sender.ssrc ?? 0,
      rtxSsrc: this.#video?.sender.rtxSsrc ?? 0,
      cname: this.#connection.cname,
      onKeyFrameWanted: () => events.onKeyFrameWanted(),
      onBandwidth: (bps) => events.onBandwidth(bps),
    });
    // The browser said goodbye; without DTLS nothing would tell it how voice and picture belong together.
    dtls.onStateChange.subscribe((state) => {
      if (state === 'closed' || state === 'failed') this.close().catch(() => undefined);
    });
    dtls.onRtp.subscribe(({ header, payload }) => {
      if (header.payloadType !== settled.audio.payloadType || !this.#admitsMicrophone(payload.length)) return;
      events.onMicrophone(payload, { timestamp: header.timestamp, sequence: header.sequenceNumber });
    });
  }

  /** A token bucket of one second. */
  #admitsMicrophone(bytes: number): boolean {
    const nowMs = performance.now();
    const gained = Math.min(1, (nowMs - this.#microphone.atMs) / 1_000);
    const packets = Math.min(mostMicrophonePackets, this.#microphone.packets + gained * mostMicrophonePackets);
    const left = Math.min(mostMicrophoneBytes, this.#microphone.bytes + gained * mostMicrophoneBytes);
    const admitted = packets >= 1 && left >= bytes;
    this.#microphone = { packets: admitted ? packets - 1 : packets, bytes: admitted ? left - bytes : left, atMs: nowMs };
    return admitted;
  }

  #become(state: PeerState): void {
    if (this.#state === state || this.#state === 'closed') return;
    this.#state = state;
    this.#options.events.onState(state);
  }

  async #close(): Promise<void> {
    this.#become('closed');
    this.#sender?.close();
    this.#options.onClosed();
    await this.#connection.close().catch(() => undefined);
    await this.#options.wire.close().catch(() => undefined);
  }
}

function videoCodec(codec: VideoCodec): RTCRtpCodecParameters {
  const rtcpFeedback = [
    { type: 'nack' },
    { type: 'nack', parameter: 'pli' },
    { type: 'ccm', parameter: 'fir' },
    { type: 'transport-cc' },
    { type: 'goog-remb' },
  ];
  if (codec === 'VP8') return useVP8({ rtcpFeedback });
  return useH264({ rtcpFeedback, parameters: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f' });
}

function retransmission(): RTCRtpCodecParameters {
  return new RTCRtpCodecParameters({ mimeType: 'video/rtx', clockRate: 90_000 });
}

/** The last check before an answer leaves: our one candidate, and none but it. */
function assertOwnCandidate(sdp: string, { type, address, port }: LocalWire): void {
  const lines = candidatesOf(sdp);
  const own = ` ${address} ${port} typ ${type}`;
  const named = new Set(
    lines.map((line) =>
      line
        .slice(line.indexOf(` ${address} `))
        .split(' ')
        .slice(0, 5)
        .join(' '),
    ),
  );
  if (lines.length === 0 || named.size !== 1 || !lines.every((line) => line.includes(own))) {
    throw new Error('the answer does not hold exactly our own candidate');
  }
}
