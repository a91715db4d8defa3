import type { TutorErrorShape } from './error-contract.ts';

/** How the tutor reaches the student now, best first. */
export type Quality = 'video' | 'voice' | 'text';

/** Why the quality changed. */
export type QualityReason =
  | 'connected'
  | 'recovered'
  | 'connection_lost'
  | 'renderer_late'
  | 'renderer_failed'
  | 'speech_failed'
  | 'network_slow'
  | 'worker_crashed';

export interface SpokenWord {
  /** Half open range of UTF-16 code units in the sentence's text. */
  readonly from: number;
  readonly to: number;
  /** ms from the beginning of the sentence. */
  readonly startMs: number;
  readonly endMs: number;
}

export type NotUnderstood = 'no_words' | 'language_unsupported' | 'unavailable';

/** The live side of voice, worth nothing a second later; never resumed. */
export type Signal =
  | { readonly type: 'hello'; readonly quality: Quality }
  | { readonly type: 'listening'; readonly voice: boolean }
  | { readonly type: 'partial'; readonly text: string }
  | { readonly type: 'notUnderstood'; readonly reason: NotUnderstood }
  /** A sentence is played: its ms `fromMs` has the audio RTP timestamp `rtpTimestamp` (48 kHz, 32 bits). */
  | {
      readonly type: 'speech';
      readonly turnId: string;
      readonly index: number;
      readonly rtpTimestamp: number;
      readonly fromMs: number;
      readonly durationMs: number;
      readonly words: readonly SpokenWord[];
    }
  /** Held: the student may be about to speak. `speech` again when it goes on. */
  | { readonly type: 'paused'; readonly turnId: string; readonly index: number; readonly atMs: number }
  | { readonly type: 'silent'; readonly turnId: string; readonly reason: 'finished' | 'interrupted' }
  /** Another connection of this session took the place of this one. */
  | { readonly type: 'replaced'; readonly peerId: string }
  | { readonly type: 'quality'; readonly from: Quality; readonly to: Quality; readonly reason: QualityReason };

export type MissingPart = 'speech_synthesis' | 'speech_recognition' | 'avatar';

/** What works in this session's language, and what its operator would have to install. */
export interface MediaAbilities {
  readonly speaks: boolean;
  readonly listens: boolean;
  readonly face: boolean;
  readonly missing: readonly MissingPart[];
}

export interface WebrtcConfig {
  readonly iceServers: readonly { readonly urls: readonly string[]; readonly username: string; readonly credential: string }[];
  readonly iceTransportPolicy: 'relay';
  readonly expiresAt: string;
  readonly publicIp: string;
  readonly portRange: { readonly min: number; readonly max: number };
  readonly voice: MediaAbilities;
}

/** Encoded speech: Opus packets of 20 ms, mono, 48 kHz. */
export interface MediaChunk {
  readonly turnId: string;
  readonly index: number;
  /** Of the first packet, from the beginning of the sentence, ms. */
  readonly atMs: number;
  /** Base64 each. */
  readonly packets: readonly string[];
  readonly visemes: readonly { readonly viseme: string; readonly startMs: number; readonly endMs: number }[];
}

export interface SpokenAudio {
  /** 16-bit samples at 16 kHz, mono; 100 ms or more a call, two seconds at most. */
  append(samples: Int16Array): Promise<void>;
  /** The utterance ends here. */
  commit(): Promise<void>;
}

/**
 * `recovering`: it was connected, and is being connected again. `failed`: text only for now; `retrying`
 * says whether it is still tried. `idle` before the first `connect` and after `disconnect`.
 */
export type MediaStatus = 'idle' | 'connecting' | 'connected' | 'recovering' | 'failed' | 'closed';

export interface MediaState {
  readonly status: MediaStatus;
  /** Why it recovers or failed. */
  readonly error: TutorErrorShape | null;
  readonly retrying: boolean;
  /** `text` unless connected. */
  readonly quality: Quality;
  /** Null until the engine was asked. */
  readonly abilities: MediaAbilities | null;
  /** The tutor can be seen: an attached element shows a frame. */
  readonly picture: boolean;
  /** `blocked`: the browser waits for a gesture; call `resume()` in one. */
  readonly sound: 'on' | 'off' | 'blocked';
  /** 0 to 1. */
  readonly volume: number;
}

export type MicProblem = 'denied' | 'revoked' | 'no_device' | 'busy' | 'unsupported';

export interface MicState {
  readonly status: 'off' | 'asking' | 'on' | 'blocked';
  /** Why it is blocked. */
  readonly problem: MicProblem | null;
  /** `push`: only what is said between `press()` and `release()` is sent. */
  readonly mode: 'open' | 'push';
  readonly muted: boolean;
  /** The engine gets to hear the student now. */
  readonly sending: boolean;
  /** Null: the browser's default. */
  readonly deviceId: string | null;
}

export interface Microphone {
  readonly state: MicState;
  /** Asks for the microphone, and connects when nothing is connected yet. Rejects with `media_blocked` when it cannot be had. */
  start(options?: { readonly mode?: MicState['mode']; readonly deviceId?: string }): Promise<void>;
  /** Gives the device back: the browser's sign for recording goes out. */
  stop(): void;
  mute(muted: boolean): void;
  setMode(mode: MicState['mode']): void;
  /** Changes the device without interrupting the connection. */
  use(deviceId: string): Promise<void>;
  /** Push-to-talk. */
  press(): void;
  /** Ends the utterance. */
  release(): void;
  /** Loudness now, 0 to 1; 0 while the microphone is off. Cheap: call it for every animation frame. */
  level(): number;
  /** Names are there once the microphone has been allowed. */
  devices(): Promise<readonly { readonly deviceId: string; readonly label: string }[]>;
}

/** The sentence that is being said, as far as this browser has played it. */
export interface Caption {
  readonly turnId: string;
  readonly index: number;
  /** As written, marks and all. */
  readonly text: string;
  /** UTF-16 code units of `text` said so far, up to the end of the word being said. */
  readonly spokenChars: number;
  /** The word being said, a half open range of `text`; null between words. */
  readonly word: { readonly from: number; readonly to: number } | null;
  /** Held, because the student may be about to speak. */
  readonly paused: boolean;
}

export interface Captions {
  /** Null while the tutor is silent. */
  readonly current: Caption | null;
  /** How far the newest spoken turn was heard here: all sentences before `index`, and `chars` of that one; `over`: nothing more of it will be said. */
  readonly heard: { readonly turnId: string; readonly index: number; readonly chars: number; readonly over: boolean } | null;
}

/** What the engine hears of the student. */
export interface Hearing {
  /** A voice is heard now. */
  readonly voice: boolean;
  /** Understood so far of this utterance; '' when nothing. */
  readonly partial: string;
  /** Of the utterance before; null once another begins. */
  readonly notUnderstood: NotUnderstood | null;
}

export interface MediaStats {
  /** The selected pair passes the relay; anything else is never used. */
  readonly relay: true;
  /** Null before the first measurement, as the following. */
  readonly rttMs: number | null;
  /** Of packets since the call before, 0 to 1. */
  readonly lossRatio: number | null;
  /** Video frames shown a second. */
  readonly fps: number | null;
  /** Of the audio, ms. */
  readonly jitterMs: number | null;
  /** Received, bits a second. */
  readonly bitrate: number | null;
}

/** What is used of an `HTMLVideoElement` or `HTMLAudioElement`. */
export interface MediaElement {
  srcObject: unknown;
  muted: boolean;
  volume: number;
  readonly readyState: number;
  readonly videoWidth?: number;
  play(): Promise<void>;
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

export interface MediaHandle {
  /** Takes the tutor off this element; the connection stays. */
  detach(): void;
  /** Null while not connected. */
  stats(): Promise<MediaStats | null>;
}

export interface MediaEvents {
  state: MediaState;
  mic: MicState;
  /** At each word. */
  captions: Captions;
  hearing: Hearing;
}

/**
 * Voice and face of the tutor, and the student's microphone. Each of `state`, `captions`, `hearing` and
 * `mic.state` stays the same object until it changes (for `useSyncExternalStore`).
 */
export interface TutorMedia {
  readonly state: MediaState;
  readonly captions: Captions;
  readonly hearing: Hearing;
  readonly mic: Microphone;
  /** Resolves when media flows, rejects when it does not for now; it may still be tried (`state.retrying`). */
  connect(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Shows the tutor on this element, sound included, and connects. The element survives reconnects. */
  attachVideo(element: MediaElement, options?: { readonly signal?: AbortSignal }): Promise<MediaHandle>;
  /** `on`: whether the tutor is heard. `volume`: 0 to 1. */
  setSound(sound: { readonly on?: boolean; readonly volume?: number }): void;
  /** To be called in a gesture when `state.sound` is `blocked`. */
  resume(): Promise<void>;
  /** Since the call before; null while not connected. */
  stats(): Promise<MediaStats | null>;
  /** Back to text: no connection, no microphone. */
  disconnect(): void;
  on<K extends keyof MediaEvents>(
    event: K,
    listener: (event: MediaEvents[K]) => void,
    options?: { readonly signal?: AbortSignal },
  ): () => void;
}
