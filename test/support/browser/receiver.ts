/*
 * Runs inside a browser's page, as a classic script before all others: measures the media that the page receives.
 * Pictures are measured when they are shown, sound when it leaves the jitter buffer for the loudspeaker, both on the
 * page's own clock.
 */

/** Chromium has it; TypeScript's DOM library does not yet. */
interface TrackReader {
  readonly readable: ReadableStream<AudioData>;
}
declare const MediaStreamTrackProcessor: new (options: { readonly track: MediaStreamTrack }) => TrackReader;

interface MouthMeasure {
  /** px of a 512 px picture. */
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  /** Luma, 0 to 255. */
  readonly darkBelow: number;
}

/** Sound of one track: epoch ms of each 10 ms, and the power of its two halves. */
class SoundMeter {
  #levels: number[][] = [];
  /** Smallest difference seen between the page's clock and the track's, ms: the one without any waiting in it. */
  #clock = Number.POSITIVE_INFINITY;

  take(): number[][] {
    const zero = performance.timeOrigin + this.#clock;
    const levels = this.#levels.map(([at = 0, ...rest]) => [at + zero, ...rest]);
    this.#levels = [];
    return levels;
  }

  async measure(track: MediaStreamTrack): Promise<void> {
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    let samples = new Float32Array(480);
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const atMs = value.timestamp / 1_000;
      this.#clock = Math.min(this.#clock, performance.now() - atMs);
      if (samples.length !== value.numberOfFrames) samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
      const half = samples.length >> 1;
      const power = (from: number, to: number) =>
        samples.subarray(from, to).reduce((sum, sample) => sum + sample * sample, 0) / (to - from);
      this.#levels.push([atMs, power(0, half), power(half, samples.length)]);
      value.close();
    }
  }
}

/** Pictures of one element after the other: epoch ms, opening of the mouth, RTP timestamp. */
class PictureMeter {
  readonly #mouth: MouthMeasure;
  readonly #canvas: CanvasRenderingContext2D;
  #frames: number[][] = [];

  constructor(mouth: MouthMeasure) {
    this.#mouth = mouth;
    const canvas = document.createElement('canvas');
    canvas.width = mouth.box.width;
    canvas.height = mouth.box.height;
    const drawn = canvas.getContext('2d', { willReadFrequently: true });
    if (drawn === null) throw new Error('no canvas here');
    this.#canvas = drawn;
  }

  take(): number[][] {
    const frames = this.#frames.map(([at = 0, ...rest]) => [at + performance.timeOrigin, ...rest]);
    this.#frames = [];
    return frames;
  }

  measure(video: HTMLVideoElement): void {
    const see = (_now: number, { expectedDisplayTime, rtpTimestamp }: VideoFrameCallbackMetadata): void => {
      video.requestVideoFrameCallback(see);
      this.#frames.push([expectedDisplayTime, this.#opening(video), rtpTimestamp ?? 0]);
    };
    video.requestVideoFrameCallback(see);
  }

  #opening(video: HTMLVideoElement): number {
    const { x, y, width, height } = this.#mouth.box;
    const scale = video.videoWidth / 512;
    this.#canvas.drawImage(video, x * scale, y * scale, width * scale, height * scale, 0, 0, width, height);
    const { data } = this.#canvas.getImageData(0, 0, width, height);
    let dark = 0;
    for (let at = 0; at < data.length; at += 4) {
      const luma = 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
      if (luma < this.#mouth.darkBelow) dark += 1;
    }
    return dark;
  }
}

/** Everything that this page receives, whichever connection it comes through. */
class ReceivedMedia {
  readonly #sound = new SoundMeter();
  readonly #microphone = new SoundMeter();
  readonly #pictures: PictureMeter;
  readonly #elements = new WeakSet<HTMLVideoElement>();
  readonly #tracks: MediaStreamTrack[] = [];
  #connection: RTCPeerConnection | null = null;
  /** Epoch ms of each request that the page sent, by the name of its procedure, and of each `click`. */
  readonly #sent: [string, number][] = [];

  constructor(mouth: MouthMeasure) {
    this.#pictures = new PictureMeter(mouth);
    setInterval(() => this.#findElements(), 50);
    addEventListener('click', () => this.#sent.push(['click', Date.now()]), { capture: true });
  }

  get state(): string {
    return this.#connection?.connectionState ?? 'none';
  }

  take() {
    return {
      frames: this.#pictures.take(),
      levels: this.#sound.take(),
      microphone: this.#microphone.take(),
      sent: this.#sent.splice(0),
      state: this.state,
    };
  }

  async stats(): Promise<readonly unknown[]> {
    return this.#connection === null ? [] : [...(await this.#connection.getStats()).values()];
  }

  follow(connection: RTCPeerConnection): void {
    this.#connection = connection;
    connection.addEventListener('track', ({ track }) => {
      if (track.kind === 'audio') void this.#sound.measure(track);
    });
  }

  speakInto(track: MediaStreamTrack): void {
    this.#tracks.push(track);
    void this.#microphone.measure(track.clone());
  }

  /** As when its owner takes the permission back. */
  endMicrophone(): void {
    for (const track of this.#tracks) {
      track.stop();
      track.dispatchEvent(new Event('ended'));
    }
  }

  send(message: unknown): void {
    const name = typeof message === 'string' ? /"path":"([\w.]+)"/.exec(message)?.[1] : undefined;
    if (name !== undefined) this.#sent.push([name, Date.now()]);
  }

  /** Elements come and go with the page. */
  #findElements(): void {
    for (const video of document.querySelectorAll('video')) {
      if (this.#elements.has(video)) continue;
      this.#elements.add(video);
      this.#pictures.measure(video);
    }
  }
}

/** Measures every connection, microphone and socket that the page opens; TURN servers are reached at `relayPort` instead, if given. */
function listenIn(received: ReceivedMedia, relayPort: number | null): void {
  const throughNetwork = (configuration?: RTCConfiguration): RTCConfiguration => ({
    ...configuration,
    iceServers: (configuration?.iceServers ?? []).map((server) => ({
      ...server,
      urls: [server.urls].flat().map((url) => (relayPort === null ? url : url.replace(/^(turn:[^:]+):\d+/, `$1:${relayPort}`))),
    })),
  });
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(throughNetwork(configuration));
      received.follow(this);
    }

    override setConfiguration(configuration?: RTCConfiguration): void {
      super.setConfiguration(throughNetwork(configuration));
    }
  };
  globalThis.WebSocket = class extends WebSocket {
    override send(data: string | BufferSource | Blob): void {
      received.send(data);
      super.send(data);
    }
  };
  const devices = navigator.mediaDevices;
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (constraints) => {
    const stream = await open(constraints);
    for (const track of stream.getAudioTracks()) received.speakInto(track);
    return stream;
  };
}

/** A student's end of a media connection, for pages that have none of their own. */
class Receiver {
  readonly #connection: RTCPeerConnection;
  readonly #microphone: boolean;
  readonly #video = document.createElement('video');

  constructor({ iceServers, microphone }: { readonly iceServers: readonly RTCIceServer[]; readonly microphone: boolean }) {
    this.#microphone = microphone;
    this.#connection = new RTCPeerConnection(configurationOf(iceServers));
    this.#connection.ontrack = ({ streams: [stream] }) => {
      // Sound and picture of one stream are what a browser keeps in sync.
      if (stream !== undefined) this.#video.srcObject = stream;
    };
    this.#video.width = 512;
    this.#video.height = 512;
    this.#video.autoplay = true;
    document.body.append(this.#video);
  }

  /** An offer with every relay candidate in it. */
  async offer(restart = false): Promise<string> {
    if (!restart) await this.#addTracks();
    await this.#connection.setLocalDescription(await this.#connection.createOffer({ iceRestart: restart }));
    await this.#gathered();
    return this.#connection.localDescription?.sdp ?? '';
  }

  async accept(answer: string): Promise<void> {
    await this.#connection.setRemoteDescription({ type: 'answer', sdp: answer });
  }

  /** New credentials, for a restart. */
  use(iceServers: readonly RTCIceServer[]): void {
    this.#connection.setConfiguration(configurationOf(iceServers));
  }

  close(): void {
    this.#connection.close();
    this.#video.remove();
  }

  async #addTracks(): Promise<void> {
    if (this.#microphone) {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      for (const track of stream.getAudioTracks()) this.#connection.addTransceiver(track, { direction: 'sendrecv', streams: [stream] });
    } else this.#connection.addTransceiver('audio', { direction: 'recvonly' });
    this.#connection.addTransceiver('video', { direction: 'recvonly' });
  }

  #gathered(): Promise<void> {
    // Right after a restart Chromium still says `complete`, of the gathering before.
    if (this.#connection.localDescription?.sdp.includes('\r\na=candidate:') === true) return Promise.resolve();
    return new Promise((resolve) => {
      // One relay candidate is all there will be; some browsers wait long before they say that it was the last.
      this.#connection.addEventListener('icecandidate', ({ candidate }) => {
        if (candidate === null || candidate.type === 'relay') resolve();
      });
    });
  }
}

function configurationOf(iceServers: readonly RTCIceServer[]): RTCConfiguration {
  return { iceTransportPolicy: 'relay', bundlePolicy: 'max-bundle', iceServers: [...iceServers] };
}

Object.assign(globalThis, { ReceivedMedia, Receiver, listenIn });
