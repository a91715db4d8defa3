import type { Locale } from '@virtual-tutor/schemas';
import { type AudioDecoder, listeningRate, type Vad } from '../media/ports.ts';
import type { Utterance } from '../media/protocol.ts';
import { asFloats } from '../media/resample.ts';
import { classifyHeard, type Heard, isHesitation } from '../turn/backchannel.ts';
import { advanceBargeIn, type BargeInInput, type BargeInState, leastLevelDb, startBargeIn } from '../turn/barge-in.ts';
import { advanceEndpointing, type EndpointingInput, type EndpointingOutput, endpointing, startEndpointing } from '../turn/endpointing.ts';
import { shapeOf } from '../turn/utterance-shape.ts';
import { type Attempt, Attempts, type Understood } from './attempts.ts';
import { MicrophoneTrack } from './microphone-track.ts';
import { RecentAudio } from './recent-audio.ts';
import type { Recogniser } from './recogniser.ts';
import { levelOf, VoiceFrames } from './voice-frames.ts';

/** One microphone, listened to. */
export interface Ear {
  /** A packet of the microphone's track, as it arrived. */
  packet(opus: Uint8Array, header: { readonly timestamp: number; readonly sequence: number }): void;
  /** Audio at `listeningRate`, of a client without a track. */
  pcm(samples: Int16Array): void;
  /** Push-to-talk released: what was said so far is the utterance. */
  commit(): void;
  /**
   * The tutor can be heard, or no longer; whether it is held does not matter. `saying`: the sentences that
   * are being said, so that the tutor's own words, come back through the microphone, do not stop it.
   */
  playing(on: boolean, saying?: string): void;
  close(): void;
}

export type EarEvent =
  | { readonly type: 'voice'; readonly on: boolean }
  /** Perhaps a barge-in: be silent now, and ready to go on. `release` or `takeFloor` follows within 1.5 s. */
  | { readonly type: 'hold' }
  /** It was nothing: go on. */
  | { readonly type: 'release' }
  /** It was speech: what the tutor was saying is over. */
  | { readonly type: 'takeFloor' }
  | { readonly type: 'partial'; readonly text: string }
  | ({ readonly type: 'utterance' } & Utterance)
  | { readonly type: 'notUnderstood'; readonly reason: 'no_words' | 'language_unsupported' | 'unavailable' };

export interface EarClock {
  /** Epoch ms. */
  now(): number;
  /** Calls `run` once, `ms` from now; the answer cancels that. */
  after(ms: number, run: () => void): () => void;
}

export interface EarOptions {
  /** Whose microphone it is: recognition is shared out by owner. */
  readonly owner: string;
  readonly language: Locale;
  readonly recogniser: Pick<Recogniser, 'transcribe' | 'supports'>;
  /** This ear's alone. */
  readonly vad: Vad;
  /** This ear's alone; whoever made it disposes of it, after `close`. */
  readonly decoder: AudioDecoder;
  readonly clock: EarClock;
  /** UUID of an utterance. */
  readonly newId: () => string;
  /** Never called after `close`; must not throw. */
  readonly onEvent: (event: EarEvent) => void;
}

/** Voice that is worth an answer, ms: less is a noise, and nobody waits to be told so. */
const worthMentionMs = 350;
/** What begins this long after the tutor stopped is not its echo, though it be its words: pupils repeat what they hear. */
const echoBeginsWithinMs = 400;
/** Voice in the tutor's silence that makes an utterance one for the tutor, ms. */
const ownFloorMs = 160;
/** A microphone that sends nothing for so long sends silence, ms: an utterance must end. A client may append two seconds at once. */
const starvedMs = { track: 600, pieces: 2_500 } as const;
/** That silence, ms: ends any utterance, and any hold. */
const starvedSilenceMs = 2_000;

/** What is known of an utterance's voice while nobody else spoke. */
const nothingYet = { voicedMs: 0, levelDbMs: 0, tookFloor: false };

export function createEar(options: EarOptions): Ear {
  return new VoiceEar(options);
}

/** A stretch of the microphone's audio, before anybody knows what was said. */
type Stretch = Extract<EndpointingOutput, { type: 'utterance' }>;

class VoiceEar implements Ear {
  readonly #options: EarOptions;
  readonly #track: MicrophoneTrack;
  readonly #frames: VoiceFrames;
  readonly #audio = new RecentAudio();
  readonly #attempts: Attempts;
  #endpointing = startEndpointing;
  #bargeIn: BargeInState = startBargeIn;
  /** What the tutor is saying, and when it stopped (audio ms; null: it has not). */
  #tutor: { readonly saying: string; readonly stoppedAtMs: number | null } = { saying: '', stoppedAtMs: null };
  /** Voice of this utterance while nobody else spoke. */
  #own = nothingYet;
  /** How loud this student is, dB below full scale; null before the first words. */
  #usualDb: number | null = null;
  /** Utterances are told in order. */
  #telling: Promise<void> = Promise.resolve();
  /** When audio came last, and how long the next may take, ms. */
  #arrival = { atMs: 0, starvedMs: 0 };
  #cancelWatch: (() => void) | null = null;
  #floorsTaken = 0;
  #closed = false;

  constructor(options: EarOptions) {
    this.#options = options;
    this.#track = new MicrophoneTrack(options.decoder);
    this.#attempts = new Attempts({ ...options, audio: this.#audio });
    this.#frames = new VoiceFrames(options.vad, {
      onFrame: (frame, probability) => this.#hear(frame, probability),
      onCommit: () => this.#endpoint({ type: 'commit' }),
      onFailure: () => this.#emit({ type: 'notUnderstood', reason: 'unavailable' }),
    });
  }

  packet(payload: Uint8Array, { timestamp, sequence }: { readonly timestamp: number; readonly sequence: number }): void {
    if (this.#closed) return;
    this.#arrival = { atMs: this.#options.clock.now(), starvedMs: starvedMs.track };
    for (const samples of this.#track.push({ payload, timestamp, sequence })) this.#frames.push(samples);
  }

  pcm(samples: Int16Array): void {
    if (this.#closed) return;
    this.#arrival = { atMs: this.#options.clock.now(), starvedMs: starvedMs.pieces };
    this.#frames.push(asFloats(samples));
  }

  commit(): void {
    if (!this.#closed) this.#frames.commit();
  }

  playing(on: boolean, saying = ''): void {
    if (this.#closed) return;
    if (on) this.#tutor = { saying, stoppedAtMs: null };
    else this.#tutor = { ...this.#tutor, stoppedAtMs: this.#tutor.stoppedAtMs ?? this.#audio.atMs };
    this.#judge({ type: 'playing', on });
  }

  close(): void {
    this.#closed = true;
    this.#frames.close();
    this.#attempts.close();
    this.#cancelWatch?.();
    this.#cancelWatch = null;
  }

  #hear(frame: Float32Array, probability: number): void {
    this.#audio.push(frame);
    const atMs = this.#audio.atMs;
    const lengthMs = (frame.length / listeningRate) * 1_000;
    const levelDb = levelOf(frame);
    this.#judge({ type: 'frame', atMs, lengthMs, probability, levelDb, leastDb: leastLevelDb(this.#usualDb) });
    if (this.#bargeIn.status === 'free' && probability >= endpointing.beginProbability) {
      const { voicedMs, levelDbMs } = this.#own;
      this.#own = { ...this.#own, voicedMs: voicedMs + lengthMs, levelDbMs: levelDbMs + levelDb * lengthMs };
    }
    this.#endpoint({ type: 'frame', atMs, lengthMs, probability });
    if (this.#endpointing.status === 'silent' && this.#endpointing.voicedMs === 0) this.#own = nothingYet;
    this.#audio.forgetBefore(this.#keepFromMs());
  }

  #keepFromMs(): number {
    if (this.#endpointing.status === 'speaking') return this.#endpointing.fromMs;
    // Voice that does not count yet lies after the pre-roll.
    return this.#audio.atMs - endpointing.preRollMs - 4 * endpointing.beginMs;
  }

  #endpoint(input: EndpointingInput): void {
    const [state, outputs] = advanceEndpointing(this.#endpointing, input);
    this.#endpointing = state;
    for (const output of outputs) this.#followEndpointing(output);
  }

  #followEndpointing(output: EndpointingOutput): void {
    switch (output.type) {
      case 'voice':
        if (output.on) this.#watch();
        this.#emit(output);
        break;
      case 'partialDue':
        this.#understand('partial', output);
        break;
      case 'pause':
        // Nobody can tell what it was, so it was not long enough.
        if (!this.#options.recogniser.supports(this.#options.language)) this.#judge({ type: 'ended', heard: null, voicedMs: 0 });
        this.#understand('final', output);
        break;
      case 'utterance':
        this.#settle(output);
        break;
      case 'nothingSaid':
        this.#emit({ type: 'notUnderstood', reason: 'no_words' });
        break;
    }
  }

  #judge(input: BargeInInput): void {
    const [state, outputs] = advanceBargeIn(this.#bargeIn, input);
    this.#bargeIn = state;
    for (const output of outputs) {
      if (output.type !== 'transcriptDue') this.#emit(output);
      else if (this.#endpointing.status === 'speaking') {
        this.#understand('partial', { fromMs: this.#endpointing.fromMs, toMs: this.#audio.atMs });
      }
      if (output.type === 'takeFloor') {
        this.#floorsTaken += 1;
        this.#own = { ...this.#own, tookFloor: true };
      }
    }
  }

  /** A transcript in passing; sounds that stop nobody are not worth one. */
  #understand(kind: 'partial' | 'final', span: { readonly fromMs: number; readonly toMs: number }): void {
    if (this.#bargeIn.status === 'guarding') return;
    const attempt = this.#attempts.begin(kind, span);
    if (attempt !== null) void attempt.understood.then((understood) => this.#follow(attempt, understood));
  }

  #follow({ fromMs, heardToMs }: Attempt, understood: Understood): void {
    if (this.#closed || understood.type !== 'transcript') return;
    const { text } = understood.transcript;
    // The utterance may have ended while this was made.
    if (this.#endpointing.status !== 'speaking' || this.#endpointing.fromMs !== fromMs) return;
    this.#judge({ type: 'heard', heard: this.#classify(text, fromMs), toMs: heardToMs });
    this.#endpoint({ type: 'shape', shape: shapeOf(text, this.#options.language) });
    if (this.#bargeIn.status === 'free' && text !== '') this.#emit({ type: 'partial', text });
  }

  /** Of what was said from `fromMs` on. */
  #classify(text: string, fromMs: number): Heard {
    const { saying, stoppedAtMs } = this.#tutor;
    const mayEcho = stoppedAtMs === null || fromMs + endpointing.preRollMs < stoppedAtMs + echoBeginsWithinMs;
    return classifyHeard({ text, language: this.#options.language, saying: mayEcho ? saying : '' });
  }

  #settle(utterance: Stretch): void {
    const { clock } = this.#options;
    const { voicedMs, levelDbMs, tookFloor } = this.#own;
    const hadFloor = tookFloor || voicedMs >= Math.min(ownFloorMs, utterance.voicedMs);
    const levelDb = voicedMs === 0 ? null : levelDbMs / voicedMs;
    this.#own = nothingYet;
    const { status } = this.#bargeIn;
    // A sound beside the tutor's speech that never came near to stopping it, or is known not to be for it.
    if (!hadFloor && status !== 'held' && status !== 'overruled' && !this.#attempts.underWay) return;
    const endedAtMs = clock.now() - (this.#audio.atMs - utterance.toMs);
    const attempt = this.#attempts.finish(utterance);
    const floorsTaken = this.#floorsTaken;
    this.#telling = this.#telling.then(async () => {
      const understood = await attempt.understood;
      if (!this.#closed) this.#tell({ utterance, understood, endedAtMs, levelDb, forTutor: hadFloor || this.#floorsTaken > floorsTaken });
    });
  }

  #tell({ utterance, understood, endedAtMs, levelDb, forTutor }: Told): void {
    const { clock, newId } = this.#options;
    const heard = understood.type === 'transcript' ? this.#classify(understood.transcript.text, utterance.fromMs) : null;
    const floorsTaken = this.#floorsTaken;
    if (!forTutor) this.#judge({ type: 'ended', heard, voicedMs: utterance.voicedMs });
    if (heard === 'echo' || (!forTutor && this.#floorsTaken === floorsTaken)) return;
    const reason = whyNothing(understood);
    if (understood.type !== 'transcript' || reason !== null) {
      if (reason !== null && utterance.voicedMs >= worthMentionMs) this.#emit({ type: 'notUnderstood', reason });
      return;
    }
    // A microphone that is moved, or turned up, is followed within a few utterances.
    if (levelDb !== null) this.#usualDb = this.#usualDb === null ? levelDb : 0.6 * this.#usualDb + 0.4 * levelDb;
    this.#emit({
      type: 'utterance',
      utteranceId: newId(),
      ...understood.transcript,
      endedAtMs: Math.round(endedAtMs),
      asrMs: Math.max(0, Math.round(clock.now() - endedAtMs)),
      durationMs: Math.round(utterance.toMs - utterance.fromMs),
    });
  }

  /** While somebody speaks: a track that was taken away must not leave an utterance, or the tutor, hanging. */
  #watch(): void {
    this.#cancelWatch ??= this.#options.clock.after(starvedMs.track, () => {
      this.#cancelWatch = null;
      if (this.#endpointing.status !== 'speaking' && this.#bargeIn.status !== 'held') return;
      const { atMs, starvedMs } = this.#arrival;
      if (this.#options.clock.now() - atMs < starvedMs) this.#watch();
      else this.#frames.push(new Float32Array((starvedSilenceMs / 1_000) * listeningRate));
    });
  }

  #emit(event: EarEvent): void {
    if (!this.#closed) this.#options.onEvent(event);
  }
}

interface Told {
  readonly utterance: Stretch;
  readonly understood: Understood;
  readonly endedAtMs: number;
  /** How loud it was while nobody else spoke, dB below full scale; null: somebody did throughout. */
  readonly levelDb: number | null;
  /** Said in the tutor's silence, or it took the floor. */
  readonly forTutor: boolean;
}

/** Why this is no message; null: it is one, or something newer took its place. */
function whyNothing(understood: Understood): 'no_words' | 'language_unsupported' | 'unavailable' | null {
  if (understood.type === 'dropped') return null;
  if (understood.type === 'failed') return understood.reason;
  const { text } = understood.transcript;
  return text === '' || isHesitation(text) ? 'no_words' : null;
}
