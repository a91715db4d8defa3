import type { AvatarId, Locale, Quality, QualityReason, SessionId, Signal, TurnId } from '@virtual-tutor/schemas';
import type { CandidateSummary, OfferRefused } from './ports.ts';

/*
 * What the server process and an engine worker say to each other, over structured-clone IPC.
 * Commands go down, facts come up, in order per session. A worker owns the live media of its
 * sessions and nothing else: no log, no model, no token.
 */

/** Everything a worker needs to know at start; plain data. */
export interface WorkerConfig {
  /** The private address that peers bind to and that the TURN server forwards to. IPv4. */
  readonly mediaAddress: string;
  /** Ports that peers bind, inclusive. */
  readonly mediaPorts: readonly [number, number];
  /** The only addresses a browser's relay candidate may have; IPv4. */
  readonly relayAddresses: readonly string[];
  /** Ports a relay candidate may have, inclusive. */
  readonly relayPorts: readonly [number, number];
  /** Set when the engine allocates on the TURN server too (`WEBRTC_ENGINE_RELAY`). */
  readonly engineRelay: { readonly url: string; readonly username: string; readonly credential: string } | null;
  readonly tts: {
    readonly enabled: boolean;
    /** An Edge voice; null: embedded voices only, nothing leaves this machine. */
    readonly edgeVoice: string | null;
  };
  readonly asr: {
    readonly enabled: boolean;
    /** Folder with a Whisper export (`<folder>/whisper-<model>/...`); null: embedded recogniser only. */
    readonly modelsFolder: string | null;
    readonly model: 'tiny' | 'base' | 'small' | 'medium' | 'large';
    readonly device: 'cuda' | 'cpu';
    /** What students speak; null: the language of the lesson. */
    readonly language: Locale | null;
  };
  readonly avatar: {
    readonly enabled: boolean;
    /** Holds one folder per filmed tutor, named by its id. */
    readonly folder: string;
    /** Holds MuseTalk's models. Null: filmed tutors speak by the warp renderer on this worker. */
    readonly museTalkFolder: string | null;
  };
  /** Sessions with media at once on all workers together; those that move their mouth at once on one. */
  readonly capacity: { readonly sessions: number; readonly speaking: number };
}

export type Character = 'ada' | 'xiaolan';

/** Who is seen. */
export type Face =
  | { readonly kind: 'drawn'; readonly character: Character }
  /** `character` is seen until the film is loaded, and for good when it cannot be. */
  | { readonly kind: 'filmed'; readonly avatarId: AvatarId; readonly character: Character };

export interface OpenMedia {
  readonly sessionId: SessionId;
  readonly locale: Locale;
  readonly voice: string | null;
  readonly face: Face;
}

export type WorkerCommand =
  | { readonly type: 'configure'; readonly config: WorkerConfig }
  /** Before anything else of a session; again is harmless. */
  | ({ readonly type: 'open' } & OpenMedia)
  /** Answered by `answered` or `refused` with the same `requestId`. A new peerId replaces the session's peer. */
  | {
      readonly type: 'negotiate';
      readonly requestId: string;
      readonly sessionId: SessionId;
      readonly peerId: string;
      readonly offerSdp: string;
    }
  | {
      readonly type: 'addCandidate';
      readonly requestId: string;
      readonly sessionId: SessionId;
      readonly peerId: string;
      readonly candidate: string;
    }
  /** Speak this sentence after those before it. */
  | {
      readonly type: 'say';
      readonly sessionId: SessionId;
      readonly turnId: TurnId;
      readonly index: number;
      readonly text: string;
      readonly language: Locale;
    }
  /** Silence of everything of this turn, at once; answered by `stopped`. Nothing of it is ever heard after. */
  | { readonly type: 'stop'; readonly requestId: string; readonly sessionId: SessionId; readonly turnId: TurnId }
  /** Microphone for clients without a track: 16-bit little-endian at 16 kHz. */
  | { readonly type: 'appendAudio'; readonly sessionId: SessionId; readonly pcm: Uint8Array }
  /** Push-to-talk released: the utterance ends here. */
  | { readonly type: 'commitAudio'; readonly sessionId: SessionId }
  /** Send `chunk` facts for a client without WebRTC, or stop sending them. */
  | { readonly type: 'stream'; readonly sessionId: SessionId; readonly on: boolean }
  /** Another face from the next frame on, for good: no frame of the one before is sent any more. Voice and mouth go on. */
  | { readonly type: 'wear'; readonly sessionId: SessionId; readonly face: Face }
  | { readonly type: 'close'; readonly sessionId: SessionId }
  | { readonly type: 'ping'; readonly sentAtMs: number };

/** How far a turn was heard: all sentences before `index`, and `chars` UTF-16 units (`heardMs`) of that one. */
export interface HeardUpTo {
  readonly index: number;
  readonly chars: number;
  readonly heardMs: number;
}

/** What a client without WebRTC plays: Opus packets of 20 ms each, and the mouth to them. */
export interface SpeechChunk {
  readonly turnId: TurnId;
  readonly index: number;
  /** Of the first packet, from the beginning of the sentence, ms. */
  readonly atMs: number;
  readonly packets: readonly Uint8Array[];
  readonly visemes: readonly { readonly viseme: string; readonly startMs: number; readonly endMs: number }[];
}

/** What a student said, understood. */
export interface Utterance {
  /** Unique; becomes the message's clientMessageId. UUID. */
  readonly utteranceId: string;
  readonly text: string;
  readonly language: Locale;
  readonly engine: string;
  readonly model: string;
  /** When the voice ended, epoch ms. */
  readonly endedAtMs: number;
  /** From there to the text, ms: the silence that had to be waited for, and recognition. */
  readonly asrMs: number;
  /** Length of the utterance, ms. */
  readonly durationMs: number;
}

export type WorkerFact =
  | { readonly type: 'ready'; readonly speech: readonly ComponentHealth[] }
  | { readonly type: 'answered'; readonly requestId: string; readonly answerSdp: string }
  | { readonly type: 'done'; readonly requestId: string }
  | { readonly type: 'refused'; readonly requestId: string; readonly code: OfferRefused['code'] | 'internal'; readonly reason: string }
  | {
      readonly type: 'connected';
      readonly sessionId: SessionId;
      readonly peerId: string;
      readonly local: CandidateSummary;
      readonly remote: CandidateSummary;
    }
  | {
      readonly type: 'disconnected';
      readonly sessionId: SessionId;
      readonly peerId: string;
      readonly reason: 'closed' | 'replaced' | 'lost' | 'failed';
      readonly connectedMs: number;
      readonly bytesSent: number;
    }
  /** A sentence was heard to its end. */
  | {
      readonly type: 'heard';
      readonly sessionId: SessionId;
      readonly turnId: TurnId;
      readonly index: number;
      readonly heardMs: number;
      readonly durationMs: number;
    }
  /** After each word: where the student is now. */
  | ({ readonly type: 'progress'; readonly sessionId: SessionId; readonly turnId: TurnId } & HeardUpTo)
  | ({ readonly type: 'stopped'; readonly requestId: string; readonly sessionId: SessionId; readonly turnId: TurnId } & {
      /** Null: nothing of this turn was ever played here. */
      readonly heard: HeardUpTo | null;
    })
  /** This sentence cannot be spoken; it is for the eyes. */
  | { readonly type: 'unspoken'; readonly sessionId: SessionId; readonly turnId: TurnId; readonly index: number; readonly code: string }
  /** When the first audio packet, and the first frame of a moving mouth, of a turn left. Epoch ms. */
  | { readonly type: 'firstAudio'; readonly sessionId: SessionId; readonly turnId: TurnId; readonly atMs: number }
  | { readonly type: 'firstFrame'; readonly sessionId: SessionId; readonly turnId: TurnId; readonly atMs: number }
  /** The student said something. */
  | ({ readonly type: 'utterance'; readonly sessionId: SessionId } & Utterance)
  /** The student's voice took the floor from this turn; it is silent already. */
  | ({ readonly type: 'bargeIn'; readonly sessionId: SessionId; readonly turnId: TurnId } & HeardUpTo)
  /** For the session's `webrtc.signals` subscribers, as it is. */
  | { readonly type: 'signal'; readonly sessionId: SessionId; readonly signal: Signal }
  | { readonly type: 'chunk'; readonly sessionId: SessionId; readonly chunk: SpeechChunk }
  /** A step on the degradation ladder, of this session. */
  | {
      readonly type: 'quality';
      readonly sessionId: SessionId;
      readonly to: Quality;
      readonly reason: QualityReason;
    }
  | { readonly type: 'health'; readonly speech: readonly ComponentHealth[] }
  | { readonly type: 'load'; readonly sessions: number; readonly speaking: number }
  /** A fault that was survived, or the last word before the end: kinds and places, no words. */
  | { readonly type: 'defect'; readonly fault: string }
  | { readonly type: 'pong'; readonly sentAtMs: number };

export interface ComponentHealth {
  /** `speech synthesis (en)`, `speech recognition (zh)`, ... */
  readonly name: string;
  readonly status: 'ok' | 'degraded' | 'down';
  readonly runsOn: string;
  /** What to do; null when ok. */
  readonly reason: string | null;
}
