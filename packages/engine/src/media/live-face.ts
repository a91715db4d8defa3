import type { QualityReason, TurnId } from '@virtual-tutor/schemas';
import type { FaceStream } from '../avatar/face-stream.ts';
import { mouthAt } from '../avatar/mouth.ts';
import type { Spoken } from '../avatar/viewers-mouth.ts';
import { frameSamples, type PlayedFrame, type Utterable } from './playout.ts';
import { type Peer, playoutRate, type VideoCodec } from './ports.ts';
import type { Face } from './protocol.ts';

/** A face that a session wears; its film is kept in memory until this is disposed. */
export interface WornFace extends Disposable {
  /** For one viewer: the face as it can be seen now. */
  open(codec: VideoCodec): FaceStream;
}

/** `onLoaded`: the film is there, streams opened from now on show it. Never called within `Wear` itself, nor after disposal. */
export type Wear = (face: Face, onLoaded: () => void) => WornFace;

export interface LiveFaceOptions {
  /** At first. */
  readonly face: Face;
  /** Null: no face (`ENABLE_AVATAR` off). */
  readonly wear: Wear | null;
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
export class LiveFace implements Disposable {
  readonly #options: LiveFaceOptions;
  #worn: WornFace | null;
  /** The viewer's; null: nobody is connected. */
  #codec: VideoCodec | null = null;
  #stream: FaceStream | null = null;
  /** What a moving face may take; null: nothing is known yet. */
  #bps: number | null = null;
  #restingSince: number | null = null;
  #narrowSince: number | null = null;
  /** Whose frame is on its way. */
  #drawing: FaceStream | null = null;
  /** Turn whose first moving mouth has left. */
  #seen: TurnId | null = null;

  constructor(options: LiveFaceOptions) {
    this.#options = options;
    this.#worn = this.#take(options.face);
  }

  get resting(): boolean {
    return this.#stream === null || this.#restingSince !== null;
  }

  /** A new connection: the one before may have had another codec. */
  open(codec: VideoCodec): void {
    this.close();
    this.#restingSince = null;
    this.#narrowSince = null;
    this.#bps = null;
    this.#codec = codec;
    this.#show();
  }

  /** The viewer is gone; the face stays worn. */
  close(): void {
    this.#codec = null;
    this.#show();
  }

  /** From the next frame on, which is a key frame. Rest and what is known of the network stay as they are. */
  wear(face: Face): void {
    const before = this.#worn;
    this.#worn = this.#take(face);
    this.#show();
    before?.[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
    this.#worn?.[Symbol.dispose]();
    this.#worn = null;
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

  /** Will be spoken after what is spoken now. */
  prepare({ speech }: Utterable): void {
    this.#stream?.prepare(speech);
  }

  /** Every 40 ms, with the frame of the voice that goes out now, the `at`th. */
  draw({ sentence, atMs }: PlayedFrame, { peer, at }: { readonly peer: Peer; readonly at: number }): void {
    const stream = this.#stream;
    // A frame that is still being drawn when the next is due costs that next one: never a queue.
    if (stream === null || this.#drawing === stream) return;
    const speaking = sentence !== null && this.#mayMove(sentence) ? sentence : null;
    this.#drawing = stream;
    stream
      .next(speaking === null ? null : spokenAt(speaking, atMs + pictureLeadMs))
      .then(
        (frame) => {
          // Not a frame of a face that is not worn any more.
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
        if (this.#drawing === stream) this.#drawing = null;
      });
  }

  /** What the network carries, bits a second. */
  fit(bps: number): void {
    this.#bps = Math.round(Math.min(faceBps.most, Math.max(faceBps.least, bps - voiceBps)));
    this.#stream?.setBitrate(this.#bps);
    if (bps > faceBps.least + voiceBps) this.#narrowSince = null;
    else this.#narrowSince ??= this.#options.now();
    if (this.#narrowSince !== null && this.#options.now() - this.#narrowSince >= narrowMs) this.#rest('network_slow');
  }

  #take(face: Face): WornFace | null {
    const worn: WornFace | null = this.#options.wear?.(face, () => this.#worn === worn && this.#show()) ?? null;
    return worn;
  }

  /** A stream of the face as it is now, in place of the one before; none without a viewer. */
  #show(): void {
    this.#stream?.[Symbol.dispose]();
    this.#stream = this.#codec === null ? null : (this.#worn?.open(this.#codec) ?? null);
    if (this.#bps !== null) this.#stream?.setBitrate(this.#bps);
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

function spokenAt({ speech }: Utterable, atMs: number): Spoken {
  return { mouth: mouthAt(speech.visemes, atMs), speech, atMs };
}
