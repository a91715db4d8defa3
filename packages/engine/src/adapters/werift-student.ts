import {
  MediaStreamTrack,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  type RtcpPacket,
  type RtpPacket,
  useH264,
  useOPUS,
  useSdesMid,
  useTransportWideCC,
  useVP8,
} from 'werift';
import type { RelayCandidate } from '../media/offer.ts';
import type { VideoCodec } from '../media/ports.ts';

/** What a student's connection got. */
export interface StudentReceived {
  readonly audio: RtpPacket[];
  readonly video: RtpPacket[];
  readonly reports: RtcpPacket[];
}

const feedback = [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'transport-cc' }];

/** For tests: a browser's end of a connection, on a loopback port that stands for the one on the relay. */
export class Student implements AsyncDisposable {
  readonly connection: RTCPeerConnection;
  readonly received: StudentReceived = { audio: [], video: [], reports: [] };
  readonly #microphone = new MediaStreamTrack({ kind: 'audio' });
  #at: RelayCandidate | null = null;

  constructor(codec: VideoCodec = 'VP8') {
    const video = codec === 'VP8' ? useVP8({ rtcpFeedback: feedback }) : useH264({ rtcpFeedback: feedback });
    this.connection = new RTCPeerConnection({
      codecs: { audio: [useOPUS()], video: [video, new RTCRtpCodecParameters({ mimeType: 'video/rtx', clockRate: 90_000 })] },
      headerExtensions: { audio: [useSdesMid(), useTransportWideCC()], video: [useSdesMid(), useTransportWideCC()] },
      iceServers: [],
      iceUseIpv6: false,
      iceAdditionalHostAddresses: ['127.0.0.1'],
      iceInterfaceAddresses: { udp4: '127.0.0.1' },
      bundlePolicy: 'max-bundle',
    });
    this.connection.addTransceiver(this.#microphone, { direction: 'sendrecv' });
    this.connection.addTransceiver('video', { direction: 'recvonly' });
    this.connection.onTrack.subscribe((track) => {
      track.onReceiveRtp.subscribe((packet) => this.received[track.kind === 'audio' ? 'audio' : 'video'].push(packet));
    });
  }

  /** Where the engine sees it; known from the first offer on. */
  get at(): RelayCandidate {
    if (this.#at === null) throw new Error('no offer was made yet');
    return this.#at;
  }

  /** `restart`: of ICE. */
  async offer({ restart = false }: { readonly restart?: boolean } = {}): Promise<string> {
    if (restart) this.connection.restartIce();
    await this.connection.setLocalDescription(await this.connection.createOffer());
    const sdp = this.connection.localDescription?.sdp ?? '';
    const port = Number(/ 127\.0\.0\.1 (\d+) typ host/.exec(sdp)?.[1]);
    this.#at = { address: '127.0.0.1', port };
    const lines = sdp.split('\r\n').filter((line) => !line.startsWith('a=candidate:') || line.includes(' 127.0.0.1 '));
    return lines.map((line) => line.replace('typ host', 'typ relay raddr 0.0.0.0 rport 0')).join('\r\n');
  }

  async take(answerSdp: string): Promise<void> {
    await this.connection.setRemoteDescription({ type: 'answer', sdp: answerSdp });
    for (const dtls of this.connection.dtlsTransports) dtls.onRtcp.subscribe((packet) => this.received.reports.push(packet));
  }

  speak(packet: RtpPacket): void {
    this.#microphone.writeRtp(packet);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }
}
