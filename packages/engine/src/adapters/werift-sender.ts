import {
  GenericNack,
  ReceiverEstimatedMaxBitrate,
  type RTCDtlsTransport,
  type RtcpPacket,
  RtcpPayloadSpecificFeedback,
  type RtcpReceiverInfo,
  RtcpRrPacket,
  RtcpSenderInfo,
  RtcpSourceDescriptionPacket,
  RtcpSrPacket,
  RtcpTransportLayerFeedback,
  RtpHeader,
  SourceDescriptionChunk,
  SourceDescriptionItem,
  TransportWideCC,
} from 'werift';
import type { SettledAnswer, SettledMedia } from '../media/answer.ts';
import { adapt, type PacketFate, startBandwidth, withinLimits } from '../media/bandwidth.ts';
import { packetise } from '../media/packetise.ts';
import type { EncodedFrame, VideoCodec } from '../media/ports.ts';
import { arrivalsOf } from './werift-feedback.ts';

/*
 * The sending half of one connection: RTP, retransmissions, sender reports and what the feedback says.
 * Our own, on werift's SRTP: its sender clones every packet, keeps a table that is never pruned, and
 * derives each report's clock from the moment of sending, which pulls voice and picture apart.
 */

export interface SenderOptions {
  readonly dtls: RTCDtlsTransport;
  readonly settled: SettledAnswer;
  readonly videoCodec: VideoCodec | null;
  readonly audioSsrc: number;
  readonly videoSsrc: number;
  readonly rtxSsrc: number;
  readonly cname: string;
  readonly onKeyFrameWanted: () => void;
  readonly onBandwidth: (bps: number) => void;
}

interface Track {
  readonly ssrc: number;
  readonly settled: SettledMedia;
  readonly rate: number;
  sequence: number;
  packets: number;
  octets: number;
  /** Newest timestamp, 32 bits. */
  timestamp: number;
}

interface SentVideo {
  readonly sequence: number;
  readonly payload: Buffer;
  readonly timestamp: number;
  readonly marker: boolean;
}

interface SentPacket {
  readonly wide: number;
  readonly bytes: number;
  readonly sentAtMs: number;
  /** On the clock of the voice, 48 kHz; null: sent again. */
  readonly playoutTimestamp: number | null;
}

/** Packets kept for retransmission: 3 s at 300 packets a second. */
const historySize = 1_024;
/** Packets whose fate the browser may still report: 10 s and more. */
const sentSize = 4_096;
/** Packets sent again, a second. */
const mostResent = 200;
const keyFrameMs = 300;
const windowMs = 500;
const reportMs = 1_000;
const ntpEpochMs = 2_208_988_800_000;

export class MediaSender {
  readonly #options: SenderOptions;
  readonly #audio: Track;
  readonly #video: Track | null;
  readonly #history: (SentVideo | undefined)[] = new Array(historySize);
  readonly #sent: (SentPacket | undefined)[] = new Array(sentSize);
  /** Audio timestamps by sequence number, for receiver reports. */
  readonly #audioTimestamps = new Uint32Array(historySize);
  readonly #reports: NodeJS.Timeout;
  #wide = 0;
  #rtxSequence = 0;
  #pictureId = 0;
  /** Wall clock, ms, of timestamp 0 on both tracks: one clock, so that browsers sync them. */
  #zeroAtMs: number | null = null;
  #received: number | null = null;
  #keyFrameAtMs = Number.NEGATIVE_INFINITY;
  #resends = { packets: mostResent, atMs: 0 };
  #fates: PacketFate[] = [];
  #windowAtMs = 0;
  #bandwidth = startBandwidth;
  #remb: number | null = null;
  bytesSent = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    const { settled, audioSsrc, videoSsrc } = options;
    this.#audio = trackOf(settled.audio, audioSsrc, 48_000);
    this.#video = settled.video === null ? null : trackOf(settled.video, videoSsrc, 90_000);
    this.#reports = setInterval(() => this.#report(), reportMs);
    this.#reports.unref();
    options.dtls.onRtcp.subscribe((packet) => this.#onRtcp(packet));
  }

  /** Newest timestamp (48 kHz) of voice or picture that the browser said it has. */
  get received(): number | null {
    return this.#received;
  }

  sendAudio(packet: Uint8Array, timestamp: number): void {
    this.#audioTimestamps[this.#audio.sequence % historySize] = timestamp;
    this.#send(this.#audio, { payload: Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength), timestamp, marker: false });
  }

  sendVideo(frame: EncodedFrame, timestamp: number): void {
    const { videoCodec } = this.#options;
    const track = this.#video;
    if (track === null || videoCodec === null) return;
    this.#pictureId = (this.#pictureId + 1) & 0x7fff;
    const payloads = packetise(videoCodec, frame, this.#pictureId);
    for (const [nth, payload] of payloads.entries()) {
      const { sequence } = track;
      const marker = nth === payloads.length - 1;
      this.#history[sequence % historySize] = { sequence, payload, timestamp, marker };
      this.#send(track, { payload, timestamp, marker });
    }
  }

  /** Without transport-wide feedback for the voice there are receiver reports alone: every 5 s, give or take a half (RFC 3550 section 6.2). */
  get reportsWithinMs(): number {
    return this.#audio.settled.transportExtension === null ? 7_500 : 1_000;
  }

  close(): void {
    clearInterval(this.#reports);
  }

  #send(
    track: Track,
    { payload, timestamp, marker }: { readonly payload: Buffer; readonly timestamp: number; readonly marker: boolean },
  ): void {
    const { sequence } = track;
    track.sequence = (sequence + 1) & 0xffff;
    track.packets = (track.packets + 1) >>> 0;
    track.octets = (track.octets + payload.length) >>> 0;
    track.timestamp = timestamp;
    this.#zeroAtMs ??= Date.now() - (timestamp / track.rate) * 1_000;
    const { payloadType } = track.settled;
    this.#write(track, payload, { payloadType, sequenceNumber: sequence, timestamp, marker, ssrc: track.ssrc });
  }

  #write(
    { settled }: Track,
    payload: Buffer,
    fields: Pick<RtpHeader, 'payloadType' | 'sequenceNumber' | 'timestamp' | 'marker' | 'ssrc'>,
  ): void {
    const extensions = [];
    const { midExtension, transportExtension } = settled;
    if (midExtension !== null) extensions.push({ id: midExtension, payload: Buffer.from(settled.mid) });
    if (transportExtension !== null) {
      this.#wide = (this.#wide + 1) & 0xffff;
      const wide = Buffer.allocUnsafe(2);
      wide.writeUInt16BE(this.#wide);
      extensions.push({ id: transportExtension, payload: wide });
    }
    extensions.sort((a, b) => a.id - b.id);
    const header = new RtpHeader({ ...fields, extension: extensions.length > 0, extensions });
    const bytes = payload.length + 24;
    this.bytesSent += bytes;
    const playoutTimestamp = this.#playoutTimestamp(fields);
    // Firefox counts no voice: its number would be that of the picture before.
    if (transportExtension !== null)
      this.#sent[this.#wide % sentSize] = { wide: this.#wide, bytes, sentAtMs: performance.now(), playoutTimestamp };
    // Rejections are dealt with inside; a packet that cannot be sent is a lost packet.
    void this.#options.dtls.sendRtp(payload, header);
  }

  #onRtcp(packet: RtcpPacket): void {
    if (packet instanceof RtcpTransportLayerFeedback) {
      if (packet.feedback instanceof GenericNack) this.#resend(packet.feedback);
      if (packet.feedback instanceof TransportWideCC) this.#onFates(packet.feedback);
    } else if (packet instanceof RtcpPayloadSpecificFeedback) {
      if (packet.feedback instanceof ReceiverEstimatedMaxBitrate) this.#onLimit(Number(packet.feedback.bitrate));
      // PLI, or FIR, which werift parses as another kind.
      else this.#onKeyFrameWanted();
    } else if (packet instanceof RtcpRrPacket || packet instanceof RtcpSrPacket) {
      for (const report of packet.reports) this.#onReport(report);
    }
  }

  /** Browsers ask again until one comes; the first of many counts. */
  #onKeyFrameWanted(): void {
    const nowMs = performance.now();
    if (nowMs - this.#keyFrameAtMs < keyFrameMs) return;
    this.#keyFrameAtMs = nowMs;
    this.#options.onKeyFrameWanted();
  }

  /** REMB, of browsers that send no transport-wide feedback, or beside it. */
  #onLimit(bps: number): void {
    this.#remb = bps;
    const isCounted = [this.#audio, this.#video].some((track) => track !== null && track.settled.transportExtension !== null);
    if (!isCounted) this.#options.onBandwidth(withinLimits(bps, bps));
  }

  #onReport({ ssrc, highestSequence }: RtcpReceiverInfo): void {
    const track = [this.#audio, this.#video].find((one) => one?.ssrc === ssrc) ?? null;
    if (track === null) return;
    const sequence = highestSequence & 0xffff;
    const behind = (track.sequence - sequence) & 0xffff;
    if (behind === 0 || behind > historySize) return;
    const timestamp =
      track === this.#audio ? this.#audioTimestamps[sequence % historySize] : this.#history[sequence % historySize]?.timestamp;
    const received = timestamp === undefined ? null : this.#playoutTimestamp({ ssrc, timestamp });
    if (received !== null) this.#onReceived(received);
  }

  /** Voice and picture leave together, so where one has arrived the other has. */
  #playoutTimestamp({ ssrc, timestamp }: Pick<RtpHeader, 'ssrc' | 'timestamp'>): number | null {
    const track = [this.#audio, this.#video].find((one) => one?.ssrc === ssrc) ?? null;
    return track === null ? null : Math.round((timestamp / track.rate) * this.#audio.rate);
  }

  #onReceived(timestamp: number): void {
    // 32 bits that wrap: newer is less than half the circle ahead.
    if (this.#received === null || (timestamp - this.#received) >>> 0 < 2 ** 31) this.#received = timestamp;
  }

  #onFates(feedback: TransportWideCC): void {
    for (const { sequence, atMs } of arrivalsOf(feedback)) {
      const sent = this.#sent[sequence % sentSize];
      if (sent === undefined || sent.wide !== sequence) continue;
      if (atMs !== null && sent.playoutTimestamp !== null) this.#onReceived(sent.playoutTimestamp);
      this.#fates.push({ bytes: sent.bytes, sentAtMs: sent.sentAtMs, receivedAtMs: atMs });
    }
    const nowMs = performance.now();
    if (nowMs - this.#windowAtMs < windowMs) return;
    this.#windowAtMs = nowMs;
    this.#bandwidth = adapt(this.#bandwidth, this.#fates, this.#remb);
    this.#fates = [];
    this.#options.onBandwidth(this.#bandwidth.bps);
  }

  /**
   * RFC 4588: the original sequence number, then the payload. Without a stream for it nothing is sent again: the same
   * number with another header would use a key's nonce twice, and the browser asks for a key frame anyway.
   */
  #resend({ lost, mediaSourceSsrc }: GenericNack): void {
    const track = this.#video;
    if (track === null || mediaSourceSsrc !== track.ssrc || track.settled.rtxPayloadType === null) return;
    for (const sequence of lost) {
      const packet = this.#history[sequence % historySize];
      if (packet === undefined || packet.sequence !== sequence || !this.#mayResend()) continue;
      const { payload, timestamp, marker } = packet;
      const original = Buffer.allocUnsafe(2);
      original.writeUInt16BE(sequence);
      this.#rtxSequence = (this.#rtxSequence + 1) & 0xffff;
      this.#write(track, Buffer.concat([original, payload]), {
        payloadType: track.settled.rtxPayloadType,
        sequenceNumber: this.#rtxSequence,
        timestamp,
        marker,
        ssrc: this.#options.rtxSsrc,
      });
    }
  }

  /** A token bucket of one second: a browser cannot make the engine send the same for ever. */
  #mayResend(): boolean {
    const nowMs = performance.now();
    const packets = Math.min(mostResent, this.#resends.packets + ((nowMs - this.#resends.atMs) / 1_000) * mostResent);
    this.#resends = { packets: Math.max(0, packets - 1), atMs: nowMs };
    return packets >= 1;
  }

  /** RFC 3550 section 6.4.1: which moment of the wall clock a timestamp belongs to. */
  #report(): void {
    const zeroAtMs = this.#zeroAtMs;
    if (zeroAtMs === null || this.#options.dtls.state !== 'connected') return;
    const tracks = this.#video === null ? [this.#audio] : [this.#audio, this.#video];
    const packets = tracks.filter(({ packets: sent }) => sent > 0).flatMap((track) => this.#reportOf(track, zeroAtMs));
    if (packets.length > 0) this.#options.dtls.sendRtcp(packets).catch(() => undefined);
  }

  #reportOf({ ssrc, rate, timestamp, packets, octets }: Track, zeroAtMs: number): RtcpPacket[] {
    // Sessions end before a 32-bit timestamp wraps (12 h of video at 90 kHz): no unwrapping here.
    const ntpMs = zeroAtMs + (timestamp / rate) * 1_000 + ntpEpochMs;
    const seconds = Math.floor(ntpMs / 1_000);
    const ntpTimestamp = (BigInt(seconds) << 32n) | BigInt(Math.floor((ntpMs / 1_000 - seconds) * 2 ** 32));
    return [
      new RtcpSrPacket({
        ssrc,
        senderInfo: new RtcpSenderInfo({ ntpTimestamp, rtpTimestamp: timestamp, packetCount: packets, octetCount: octets }),
      }),
      new RtcpSourceDescriptionPacket({
        chunks: [new SourceDescriptionChunk({ source: ssrc, items: [new SourceDescriptionItem({ type: 1, text: this.#options.cname })] })],
      }),
    ];
  }
}

function trackOf(settled: SettledMedia, ssrc: number, rate: number): Track {
  return { ssrc, settled, rate, sequence: Math.floor(Math.random() * 0x8000), packets: 0, octets: 0, timestamp: 0 };
}
