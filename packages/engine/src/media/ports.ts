import type { Locale } from '@virtual-tutor/schemas';

/*
 * Voice and face, types only. Audio is mono throughout. Times are ms, sample rates Hz, sizes px
 * or bytes, as each field says.
 */

/** Sample rate of everything that is played: Opus's own, Hz. */
export const playoutRate = 48_000;
/** Sample rate of everything that is listened to, Hz. */
export const listeningRate = 16_000;
/** Video frames a second. */
export const framesPerSecond = 25;

/** The Oculus set of 15: https://developers.meta.com/horizon/documentation/unity/audio-ovrlipsync-viseme-reference/ */
export const visemes = ['sil', 'PP', 'FF', 'TH', 'DD', 'kk', 'CH', 'SS', 'nn', 'RR', 'aa', 'E', 'I', 'O', 'U'] as const;
export type Viseme = (typeof visemes)[number];

/** Half open, ms from the beginning of its speech. */
export interface TimedViseme {
  readonly viseme: Viseme;
  readonly startMs: number;
  readonly endMs: number;
}

export interface TimedWord {
  /** Half open range of UTF-16 code units in the text that was asked for. */
  readonly from: number;
  readonly to: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** One sentence, spoken. */
export interface Speech {
  /** At `playoutRate`. */
  readonly samples: Int16Array;
  /** In order, without overlap. */
  readonly visemes: readonly TimedViseme[];
  /** In order, without overlap; every speakable word is there, so that heard ms become heard text. */
  readonly words: readonly TimedWord[];
  /** The synthesiser that made it: `flite`, `espeak-ng`, `edge`. */
  readonly engine: string;
}

export interface SpeechRequest {
  /** Plain text; a synthesiser never sees Markdown. */
  readonly text: string;
  readonly language: Locale;
  /** A voice of the synthesiser that knows it; null: its default for the language. */
  readonly voice: string | null;
  readonly signal: AbortSignal;
}

export interface Tts {
  readonly name: string;
  readonly languages: readonly Locale[];
  /** Throws `SpeechUnavailable`; an `AbortError` once the signal aborts. */
  synthesize(request: SpeechRequest): Promise<Speech>;
}

/** This sentence cannot be spoken, or this utterance not be understood, here and now. Holds no word of anybody's. */
export class SpeechUnavailable extends Error {
  override readonly name = 'SpeechUnavailable';
  readonly code: 'not_installed' | 'unreachable' | 'crashed' | 'language_unsupported' | 'bad_answer';
  constructor(code: SpeechUnavailable['code'], reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.code = code;
  }
}

export interface Transcript {
  /** '' when there were no words in it. */
  readonly text: string;
  readonly language: Locale;
  readonly engine: string;
  readonly model: string;
}

export interface Asr {
  readonly name: string;
  readonly model: string;
  readonly languages: readonly Locale[];
  /** `samples` at `listeningRate`, -1 to 1. Throws `SpeechUnavailable`. */
  transcribe(request: { readonly samples: Float32Array; readonly language: Locale; readonly signal: AbortSignal }): Promise<Transcript>;
}

/** Voice activity of one microphone; keeps the model's state between frames. */
export interface Vad {
  /** Samples a call takes, at `listeningRate`. */
  readonly frameSamples: number;
  /** Probability of speech in this frame, 0 to 1. */
  probability(frame: Float32Array): Promise<number>;
  reset(): void;
}

/** How much of each viseme the mouth shows: weights 0 to 1 that add up to 1. */
export type MouthShape = Readonly<Record<Viseme, number>>;

/** A drawn or filmed tutor. */
export interface Renderer {
  readonly width: number;
  readonly height: number;
  /** Length of the idle loop; the last frame leads seamlessly into the first. */
  readonly idleFrames: number;
  /**
   * The picture as I420 (`width * height * 3 / 2` bytes): body, eyes and breath of that idle frame, and
   * this mouth. The buffer is valid until the next call. `idleFrame` counts on for ever (taken modulo).
   */
  render(idleFrame: number, mouth: MouthShape): Uint8Array;
}

export type VideoCodec = 'VP8' | 'H264';

export interface EncodedFrame {
  /** VP8 frame, or H.264 access unit in Annex B. */
  readonly data: Uint8Array;
  readonly key: boolean;
}

export interface VideoEncoder extends Disposable {
  /** Off the calling thread; takes its copy of the picture before it returns. Calls do not overlap. */
  encode(i420: Uint8Array, options: { readonly key: boolean }): Promise<EncodedFrame>;
  /** Bits a second, from the next frame on. */
  setBitrate(bps: number): void;
}

/** 20 ms of Opus at 48 kHz, mono. */
export interface AudioEncoder extends Disposable {
  /** 960 samples. */
  encode(samples: Int16Array): Uint8Array;
}

export interface AudioDecoder extends Disposable {
  /** One Opus packet; null: it was lost, conceal it. Answer at `playoutRate`. Throws on a malformed packet. */
  decode(packet: Uint8Array | null): Int16Array;
}

export interface CandidateSummary {
  readonly type: 'host' | 'relay';
  readonly port: number;
  readonly protocol: 'udp' | 'tcp';
}

export interface Codecs {
  readonly video: VideoCodec;
}

export type PeerState = 'connecting' | 'connected' | 'disconnected' | 'closed';

/** One browser's media connection. Made from an offer; never sends an offer itself. */
export interface Peer {
  readonly peerId: string;
  readonly state: PeerState;
  /** What the negotiation chose. */
  readonly codecs: Codecs;
  /** The pair in use; null until connected. */
  readonly pair: { readonly local: CandidateSummary; readonly remote: CandidateSummary } | null;
  /** Further offer of the same peer: an ICE restart. Resolves to the answer. Throws `OfferRefused`. */
  renegotiate(offerSdp: string): Promise<string>;
  /** A trickled candidate line. Throws `OfferRefused`. */
  addCandidate(candidate: string): void;
  /** 20 ms of Opus; `timestamp` at 48 kHz. Nothing happens unless connected. */
  sendAudio(packet: Uint8Array, timestamp: number): void;
  /** One frame; `timestamp` at 90 kHz, of the same clock as the audio's: RTCP sender reports say so. */
  sendVideo(frame: EncodedFrame, timestamp: number): void;
  /** Up to which timestamp (48 kHz) the browser is known to have received voice and picture, from RTCP; null before the first report. */
  readonly received: number | null;
  /** A browser that receives anything says so at least this often, ms. */
  readonly reportsWithinMs: number;
  readonly bytesSent: number;
  close(): Promise<void>;
}

/** What a peer tells its owner. Called synchronously; must not throw. */
export interface PeerEvents {
  onState(state: PeerState): void;
  /** An Opus packet of the microphone, in order of arrival; `timestamp` at 48 kHz, `sequence` 16 bits. */
  onMicrophone(packet: Uint8Array, header: { readonly timestamp: number; readonly sequence: number }): void;
  /** PLI or FIR: the next video frame must be a key frame. */
  onKeyFrameWanted(): void;
  /** What the network carries now, bits a second, video and audio together. */
  onBandwidth(bps: number): void;
}

/** Makes peers; one per engine worker. */
export interface PeerFactory extends AsyncDisposable {
  /** Resolves once the answer is made, before media flows. Throws `OfferRefused`. */
  accept(request: {
    readonly peerId: string;
    readonly offerSdp: string;
    readonly events: PeerEvents;
  }): Promise<{ readonly peer: Peer; readonly answerSdp: string }>;
}

/** An offer or candidate that this engine will not take. `reason` names the line's fault, never its secrets. */
export class OfferRefused extends Error {
  override readonly name = 'OfferRefused';
  readonly code:
    | 'malformed'
    | 'too_large'
    | 'candidate_not_relay'
    | 'unexpected_relay_address'
    | 'unsupported_media'
    | 'no_free_port'
    | 'superseded';
  constructor(code: OfferRefused['code'], reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.code = code;
  }
}
