import type { QualityReason, TurnId } from '@virtual-tutor/schemas';
import type { FaceStream } from '../avatar/face-stream.ts';
import { mouthAt } from '../avatar/mouth.ts';
import { frameSamples, type PlayedFrame, type Utterable } from './playout.ts';
import { type Peer, playoutRate, type VideoCodec } from './ports.ts';

export interface LiveFaceOptions {
  /** Null: no face (`ENABLE_AVATAR` off). */
  readonly createFace: ((codec: VideoCodec) => FaceStream) | null;
  /** There is room for one more moving mouth. */
  readonly mayDraw: () => boolean;
  /** Epoch ms. */
  readonly now: () => number;
  readonly onFirstFrame: (turnId: TurnId) => void;
  /** The mouth rests from now on; the voice goes on. */
  readonly onResting: (reason: QualityReason) => void;
  readonly onDefect: (error: unknown) => void;
}

/**
 * People bear a picture that comes 100 ms early, but not one that comes 45 ms late (ITU-R BT.1359), and Chromium's own synchronisation wanders
 * by some 45 ms either way (`npm run soak -- lip-sync`): the middle of the two is aimed at, ms.
 */
const pictureLeadMs = 25;
/** A face that rests is tried again in a later turn, this much later, ms. */
const againMs = 30_000;
/** What a moving face may take, and what is left to the voice, bits a second. */
const faceBps = { least: 60_000, most: 500_000 };
const voiceBps = 50_000;
/** A network that is too narrow for so long gets the voice alone, ms. */
const narrowMs = 5_000;
/** Of video, Hz (RFC 7741 and 6184). */
const videoRate = 90_000;
const timestampRange = 2 ** 32;

/** What one viewer sees, and when the mouth may move. */
export class LiveFace {
  readonly #options: LiveFaceOptions;
  #stream: FaceStream | null = null;
  #restingSince: number | null = null;
  #narrowSince: number | null = null;
  #drawing = false;
  /** Turn whose first moving mouth has left. */
  #seen: TurnId | null = null;

  constructor(options: LiveFaceOptions) {
    this.#options = options;
  }

  get resting(): boolean {
    return this.#stream === null || this.#restingSince !== null;
  }

  /** A new connection: the one before may have had another codec. */
  open(codec: VideoCodec): void {
    this.close();
    this.#restingSince = null;
    this.#narrowSince = null;
    this.#stream = this.#options.createFace?.(codec) ?? null;
  }

  close(): void {
    this.#stream?.[Symbol.dispose]();
    this.#stream = null;
  }

  wantKeyFrame(): void {
    this.#stream?.wantKeyFrame();
  }

  /** A later turn begins: true when the mouth may move again. */
  wake(): boolean {
    const { now } = this.#options;
    if (this.#stream === null || this.#restingSince === null || now() - this.#restingSince < againMs) return false;
    this.#restingSince = null;
    return true;
  }

  /** Every 40 ms, with the frame of the voice that goes out now, the `at`th. */
  draw({ sentence, atMs }: PlayedFrame, { peer, at }: { readonly peer: Peer; readonly at: number }): void {
    const stream = this.#stream;
    // A frame that is still being drawn when the next is due costs that next one: never a queue.
    if (stream === null || this.#drawing) return;
    const speaking = sentence !== null && this.#mayMove(sentence) ? sentence : null;
    this.#drawing = true;
    stream
      .next(speaking === null ? null : mouthAt(speaking.speech.visemes, atMs + pictureLeadMs))
      .then(
        (frame) => {
          if (this.#stream !== stream) return;
          peer.sendVideo(frame, (at * frameSamples * (videoRate / playoutRate)) % timestampRange);
          if (speaking === null || this.#seen === speaking.turnId) return;
          this.#seen = speaking.turnId;
          this.#options.onFirstFrame(speaking.turnId);
        },
        (error: unknown) => {
          if (this.#stream === stream) this.#onFailed(error);
        },
      )
      .finally(() => {
        this.#drawing = false;
      });
  }

  /** What the network carries, bits a second. */
  fit(bps: number): void {
    this.#stream?.setBitrate(Math.round(Math.min(faceBps.most, Math.max(faceBps.least, bps - voiceBps))));
    if (bps > faceBps.least + voiceBps) this.#narrowSince = null;
    else this.#narrowSince ??= this.#options.now();
    if (this.#narrowSince !== null && this.#options.now() - this.#narrowSince >= narrowMs) this.#rest('network_slow');
  }

  #mayMove({ turnId }: Utterable): boolean {
    if (this.#restingSince !== null) return false;
    if (this.#seen === turnId || this.#options.mayDraw()) return true;
    this.#rest('renderer_late');
    return false;
  }

  #onFailed(error: unknown): void {
    this.#options.onDefect(error);
    const late = error instanceof Error && 'code' in error && error.code === 'too_slow';
    this.#rest(late ? 'renderer_late' : 'renderer_failed');
  }

  #rest(reason: QualityReason): void {
    if (this.resting) return;
    this.#restingSince = this.#options.now();
    this.#options.onResting(reason);
  }
}
