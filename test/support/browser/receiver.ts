/*
 * Runs inside a browser's page, as a classic script: a student's end of a media connection that measures what it
 * receives. Pictures are measured when they are shown, sound when it leaves the jitter buffer for the loudspeaker, both
 * on the page's own clock.
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

interface ReceiverOptions {
  readonly iceServers: readonly RTCIceServer[];
  /** Send the microphone; without it the connection only receives. */
  readonly microphone: boolean;
  readonly mouth: MouthMeasure;
}

class Receiver {
  readonly #connection: RTCPeerConnection;
  readonly #options: ReceiverOptions;
  answer = '';
  readonly #video = document.createElement('video');
  readonly #mouth: CanvasRenderingContext2D;
  #frames: number[][] = [];
  #levels: number[][] = [];
  /** Smallest difference seen between the page's clock and the audio's, ms: the one without any waiting in it. */
  #audioClock = Number.POSITIVE_INFINITY;
  microphone: MediaStream | null = null;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#connection = this.#connect(options.iceServers);
    const canvas = document.createElement('canvas');
    canvas.width = options.mouth.box.width;
    canvas.height = options.mouth.box.height;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (context === null) throw new Error('no canvas here');
    this.#mouth = context;
    this.#video.width = 512;
    this.#video.height = 512;
    this.#video.autoplay = true;
    document.body.append(this.#video);
  }

  get state(): RTCPeerConnectionState {
    return this.#connection.connectionState;
  }

  /** An offer with every relay candidate in it. */
  async offer(restart = false): Promise<string> {
    if (!restart) await this.#addTracks();
    await this.#connection.setLocalDescription(await this.#connection.createOffer({ iceRestart: restart }));
    await this.#gathered();
    return this.#connection.localDescription?.sdp ?? '';
  }

  async accept(answer: string): Promise<void> {
    this.answer = answer;
    await this.#connection.setRemoteDescription({ type: 'answer', sdp: answer });
  }

  /** New credentials, for a restart. */
  use(iceServers: readonly RTCIceServer[]): void {
    this.#connection.setConfiguration({ iceTransportPolicy: 'relay', bundlePolicy: 'max-bundle', iceServers: [...iceServers] });
  }

  /** What was received since the last call. Times are epoch ms. */
  take() {
    const zero = performance.timeOrigin;
    const frames = this.#frames.map(([at = 0, ...rest]) => [at + zero, ...rest]);
    const levels = this.#levels.map(([at = 0, ...rest]) => [at + zero + this.#audioClock, ...rest]);
    this.#frames = [];
    this.#levels = [];
    return { frames, levels, state: this.state };
  }

  async stats(): Promise<readonly unknown[]> {
    return [...(await this.#connection.getStats()).values()];
  }

  close(): void {
    this.#connection.close();
    this.#video.remove();
    for (const track of this.microphone?.getTracks() ?? []) track.stop();
  }

  #connect(iceServers: readonly RTCIceServer[]): RTCPeerConnection {
    const connection = new RTCPeerConnection({ iceTransportPolicy: 'relay', bundlePolicy: 'max-bundle', iceServers: [...iceServers] });
    connection.ontrack = ({ track, streams: [stream] }) => {
      // Sound and picture of one stream are what a browser keeps in sync.
      if (stream !== undefined) this.#video.srcObject = stream;
      if (track.kind === 'audio') void this.#hear(track);
      else this.#video.requestVideoFrameCallback(this.#see);
    };
    return connection;
  }

  async #addTracks(): Promise<void> {
    if (this.#options.microphone) {
      this.microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
      for (const track of this.microphone.getAudioTracks()) {
        this.#connection.addTransceiver(track, { direction: 'sendrecv', streams: [this.microphone] });
      }
    } else this.#connection.addTransceiver('audio', { direction: 'recvonly' });
    this.#connection.addTransceiver('video', { direction: 'recvonly' });
  }

  #gathered(): Promise<void> {
    if (this.#connection.iceGatheringState === 'complete') return Promise.resolve();
    return new Promise((resolve) => {
      // One relay candidate is all there will be; some browsers wait long before they say that it was the last.
      this.#connection.addEventListener('icecandidate', ({ candidate }) => {
        if (candidate === null || candidate.type === 'relay') resolve();
      });
    });
  }

  readonly #see = (_now: number, metadata: VideoFrameCallbackMetadata): void => {
    this.#video.requestVideoFrameCallback(this.#see);
    const { x, y, width, height } = this.#options.mouth.box;
    const scale = this.#video.videoWidth / 512;
    this.#mouth.drawImage(this.#video, x * scale, y * scale, width * scale, height * scale, 0, 0, width, height);
    const { data } = this.#mouth.getImageData(0, 0, width, height);
    let dark = 0;
    for (let at = 0; at < data.length; at += 4) {
      const luma = 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
      if (luma < this.#options.mouth.darkBelow) dark += 1;
    }
    this.#frames.push([metadata.expectedDisplayTime, dark, metadata.rtpTimestamp ?? 0, metadata.presentedFrames]);
  };

  async #hear(track: MediaStreamTrack): Promise<void> {
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    let samples = new Float32Array(480);
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const atMs = value.timestamp / 1_000;
      this.#audioClock = Math.min(this.#audioClock, performance.now() - atMs);
      if (samples.length !== value.numberOfFrames) samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
      const half = samples.length >> 1;
      const level = (from: number, to: number) =>
        samples.subarray(from, to).reduce((sum, sample) => sum + sample * sample, 0) / (to - from);
      this.#levels.push([atMs, level(0, half), level(half, samples.length)]);
      value.close();
    }
  }
}

Object.assign(globalThis, { Receiver });
