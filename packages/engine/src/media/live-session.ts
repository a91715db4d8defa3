import type { Quality, QualityReason, SessionId, Signal, TurnId } from '@virtual-tutor/schemas';
import type { Ear, EarEvent } from '../listening/ear.ts';
import { LiveFace, type Wear } from './live-face.ts';
import { PeerSlot } from './peer-slot.ts';
import { frameSamples, type PlayedFrame, Playout, type PlayoutEvent } from './playout.ts';
import type { AudioEncoder, PeerFactory } from './ports.ts';
import type { Face, OpenMedia, WorkerFact } from './protocol.ts';
import { type Say, type Sentence, SpeechLine } from './speech-line.ts';
import { SpeechStream } from './speech-stream.ts';

export interface SessionParts {
  readonly peers: PeerFactory;
  readonly say: Say;
  /** A synthesiser for the language of the lesson is worth a try. */
  readonly maySpeak: () => boolean;
  readonly createAudioEncoder: () => AudioEncoder;
  /** Null: nobody listens (`ENABLE_ASR` off). */
  readonly createEar: ((onEvent: (event: EarEvent) => void) => Promise<Ear>) | null;
  /** Null: no face (`ENABLE_AVATAR` off). */
  readonly wear: Wear | null;
  /** There is room for one more moving mouth. */
  readonly mayDraw: () => boolean;
  readonly emit: (fact: WorkerFact) => void;
  /** Epoch ms. */
  readonly now: () => number;
  /** Told of faults that the session survives. */
  readonly onDefect: (error: unknown) => void;
}

/** Ready sentences waiting behind the one that is played. */
const sentencesAhead = 2;
/** Silence is not sent, but for one packet in so many: it keeps the browser's clock and the receipts going. */
const framesPerSilence = 20;
/** Frames of silence sent after speech, so that the browser's buffer runs out softly. */
const closingSilence = 5;
/** Sentences in a row that no synthesiser could say: the lesson goes on in writing. */
const mostUnspoken = 2;
/** How often a voice that failed is looked for, frames. */
const voiceAgainFrames = 250;
/** The browser's report is late by so long: the tutor waits, ms. */
const stalledMs = 3_000;
const timestampRange = 2 ** 32;
/** One student's voice and picture, live. Knows nothing of the log: what happened goes out as facts, in order. */
export class LiveSession {
  readonly id: SessionId;
  readonly #parts: SessionParts;
  readonly #playout: Playout;
  readonly #line: SpeechLine;
  readonly #slot: PeerSlot;
  readonly #stream: SpeechStream;
  #ear: Ear | null = null;
  #closed = false;
  readonly #encoder: AudioEncoder;
  readonly #face: LiveFace;
  #unspoken = 0;
  #silentFrames = closingSilence;
  #quality: Quality = 'text';
  /** Turn whose first audio has left. */
  #heardFirst: TurnId | null = null;

  constructor(media: OpenMedia, parts: SessionParts) {
    this.id = media.sessionId;
    this.#parts = parts;
    this.#encoder = parts.createAudioEncoder();
    this.#playout = new Playout((event) => this.#onPlayout(event));
    this.#line = new SpeechLine({
      say: parts.say,
      voice: media.voice,
      hasRoom: () => this.#playout.waiting < sentencesAhead,
      onSpoken: (sentence) => {
        this.#unspoken = 0;
        this.#face.prepare(sentence);
        this.#playout.enqueue(sentence);
      },
      onUnspoken: (sentence, code) => this.#onUnspoken(sentence, code),
    });
    parts
      .createEar?.((event) => this.#onEar(event))
      .then(
        (ear) => this.#startListening(ear),
        () => this.#signal({ type: 'notUnderstood', reason: 'unavailable' }),
      );
    this.#face = new LiveFace({
      ...parts,
      face: media.face,
      onFirstFrame: (turnId) => this.#emit({ type: 'firstFrame', turnId, atMs: parts.now() }),
      onResting: (reason) => {
        if (this.#quality === 'video') this.#reach('voice', reason);
      },
    });
    this.#stream = new SpeechStream((chunk) => this.#emit({ type: 'chunk', chunk }));
    this.#slot = new PeerSlot({
      peers: parts.peers,
      now: parts.now,
      onMicrophone: (packet, header) => this.#ear?.packet(packet, header),
      onKeyFrameWanted: () => this.#face.wantKeyFrame(),
      onBandwidth: (bps) => this.#face.fit(bps),
      onConnected: (peerId, { local, remote }) => {
        this.#emit({ type: 'connected', peerId, local, remote });
        this.#onConnected();
      },
      onInterrupted: () => void this.#playout.hold('connection'),
      onResumed: () => {
        this.#playout.repeatUnconfirmed();
        this.#playout.release('connection');
      },
      onGone: (gone) => {
        if (gone !== null) this.#emit({ type: 'disconnected', ...gone });
        if (gone?.reason === 'replaced') this.#playout.hold('connection');
        else this.#onGone();
      },
    });
  }

  get speaking(): boolean {
    return this.#playout.audible && this.#quality === 'video';
  }

  negotiate(peerId: string, offerSdp: string): Promise<string> {
    return this.#slot.negotiate(peerId, offerSdp);
  }

  addCandidate(peerId: string, candidate: string): void {
    this.#slot.addCandidate(peerId, candidate);
  }

  say(sentence: Sentence): void {
    this.#line.add(sentence);
  }

  stop(turnId: TurnId) {
    this.#line.stop(turnId);
    const heard = this.#playout.stop(turnId);
    this.#stream.drop();
    this.#signal({ type: 'silent', turnId, reason: 'interrupted' });
    this.#tellEar();
    return heard;
  }

  listen(pcm: Int16Array): void {
    this.#ear?.pcm(pcm);
  }

  commit(): void {
    this.#ear?.commit();
  }

  /** For a client without WebRTC: speech as chunks, heard when it was their time. */
  stream(on: boolean): void {
    this.#stream.on = on;
    if (this.#slot.peer !== null) return;
    if (on) this.#reach('voice', 'connected');
    else this.#onGone();
  }

  wear(face: Face): void {
    this.#face.wear(face);
  }

  /** Every 20 ms. */
  frame(): void {
    this.#slot.check();
    this.#readReceipts();
    const at = this.#playout.frame;
    const frame = this.#playout.advance();
    this.#sendAudio(frame, at);
    const { peer } = this.#slot;
    if (at % 2 === 0 && peer?.state === 'connected') this.#face.draw(frame, { peer, at });
    this.#lookForVoice(at);
  }

  /** The worker did not run for so many frames. */
  skip(frames: number): void {
    this.#playout.skip(frames);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#line.stop(null);
    this.#ear?.close();
    this.#face[Symbol.dispose]();
    await this.#slot.close();
    this.#encoder[Symbol.dispose]();
  }

  #sendAudio({ samples, sentence }: PlayedFrame, at: number): void {
    this.#silentFrames = samples === null ? this.#silentFrames + 1 : 0;
    const quiet = this.#silentFrames > closingSilence && this.#silentFrames % framesPerSilence !== 0;
    if (quiet || !this.#reachable) return;
    const packet = this.#encoder.encode(samples ?? silence);
    this.#slot.peer?.sendAudio(packet, (at * frameSamples) % timestampRange);
    if (sentence === null) return;
    this.#stream.push(packet);
    const { turnId } = sentence;
    if (this.#heardFirst === turnId) return;
    this.#heardFirst = turnId;
    this.#emit({ type: 'firstAudio', turnId, atMs: this.#parts.now() });
  }

  get #reachable(): boolean {
    return this.#slot.peer?.state === 'connected' || this.#stream.on;
  }

  #onUnspoken({ turnId, index }: Sentence, code: string): void {
    this.#emit({ type: 'unspoken', turnId, index, code });
    this.#unspoken += 1;
    if (this.#unspoken >= mostUnspoken && this.#slot.peer !== null) this.#reach('text', 'speech_failed');
  }

  #lookForVoice(at: number): void {
    const lost = this.#unspoken >= mostUnspoken && this.#quality === 'text' && this.#slot.peer?.state === 'connected';
    if (!lost || at % voiceAgainFrames !== 0 || !this.#parts.maySpeak()) return;
    this.#unspoken = 0;
    this.#reach(this.#face.resting ? 'voice' : 'video', 'recovered');
  }

  #readReceipts(): void {
    const received = this.#slot.peer?.received ?? null;
    const { frame } = this.#playout;
    if (received !== null) {
      // Timestamps wrap after a day: the nearest one is meant.
      const behind = (frame * frameSamples - received) % timestampRange;
      const unwrapped = behind > timestampRange / 2 ? behind - timestampRange : behind;
      this.#playout.received(frame - Math.round(unwrapped / frameSamples));
    }
    const { peer } = this.#slot;
    const stalled = peer !== null && this.#playout.unconfirmedMs > peer.reportsWithinMs + stalledMs;
    if (stalled) this.#playout.hold('stalled');
    else this.#playout.release('stalled');
  }

  #onConnected(): void {
    const { peer } = this.#slot;
    if (peer === null) return;
    this.#face.open(peer.codecs.video);
    this.#playout.repeatUnconfirmed();
    this.#playout.expectReports(true);
    this.#playout.release('connection');
    this.#reach(this.#face.resting ? 'voice' : 'video', 'connected');
  }

  #onGone(): void {
    this.#face.close();
    this.#line.stop(null);
    for (let turnId = this.#playout.turnId; turnId !== null; turnId = this.#playout.turnId) this.#playout.stop(turnId);
    this.#playout.expectReports(false);
    this.#playout.release('connection');
    this.#tellEar();
    if (this.#stream.on) this.#reach('voice', 'connection_lost');
    else this.#reach('text', 'connection_lost');
  }

  #reach(to: Quality, reason: QualityReason): void {
    if (this.#quality === to) return;
    this.#quality = to;
    this.#emit({ type: 'quality', to, reason });
  }

  #onPlayout(event: PlayoutEvent): void {
    switch (event.type) {
      case 'speech':
        this.#onSpeech(event);
        break;
      case 'heard':
        this.#emit({ type: 'heard', turnId: event.turnId, index: event.index, heardMs: event.durationMs, durationMs: event.durationMs });
        break;
      case 'progress':
        this.#emit({ type: 'progress', turnId: event.turnId, ...event.upTo });
        break;
      case 'finished':
        this.#stream.flush();
        this.#signal({ type: 'silent', turnId: event.turnId, reason: 'finished' });
        break;
    }
    this.#tellEar();
    this.#line.pump();
  }

  #onSpeech({ sentence, durationMs, frame, fromMs }: Extract<PlayoutEvent, { type: 'speech' }>): void {
    const { turnId, index, speech } = sentence;
    if (this.#heardFirst !== turnId && this.#quality === 'voice' && this.#face.wake()) this.#reach('video', 'recovered');
    this.#stream.begin(sentence, fromMs);
    const rtpTimestamp = (frame * frameSamples) % timestampRange;
    this.#signal({ type: 'speech', turnId, index, rtpTimestamp, fromMs, durationMs, words: [...speech.words] });
  }

  #startListening(ear: Ear): void {
    if (this.#closed) ear.close();
    else this.#ear = ear;
    this.#tellEar();
  }

  #onEar(event: EarEvent): void {
    switch (event.type) {
      case 'voice':
        this.#signal({ type: 'listening', voice: event.on });
        break;
      case 'hold':
        if (this.#playout.hold('voice') && this.#playout.held !== null) this.#signal({ type: 'paused', ...this.#playout.held });
        break;
      case 'release':
        this.#playout.release('voice');
        break;
      case 'takeFloor':
        this.#yieldFloor();
        break;
      case 'partial':
        this.#signal({ type: 'partial', text: event.text });
        break;
      case 'utterance':
        this.#emit(event);
        break;
      case 'notUnderstood':
        this.#signal({ type: 'notUnderstood', reason: event.reason });
        break;
    }
  }

  #yieldFloor(): void {
    const { turnId } = this.#playout;
    if (turnId !== null) {
      const heard = this.stop(turnId);
      this.#emit({ type: 'bargeIn', turnId, ...(heard ?? { index: 0, chars: 0, heardMs: 0 }) });
    }
    this.#playout.release('voice');
  }

  #tellEar(): void {
    this.#ear?.playing(this.#playout.busy, this.#playout.saying);
  }

  #signal(signal: Signal): void {
    this.#emit({ type: 'signal', signal });
  }

  #emit(fact: Unaddressed): void {
    this.#parts.emit({ ...fact, sessionId: this.id });
  }
}

type Unaddressed = WorkerFact extends infer F ? (F extends { readonly sessionId: SessionId } ? Omit<F, 'sessionId'> : never) : never;

const silence = new Int16Array(frameSamples);
