import { type EncodedFrame, framesPerSecond, type MouthShape, type Renderer, type VideoCodec, type VideoEncoder } from '../media/ports.ts';
import type { IdleLoop, IdleLoops, OpenVideoEncoder } from './idle-loop.ts';
import { between, restMouth } from './mouth.ts';

export interface FaceStreamOptions {
  /** Shared by all viewers of a character. */
  readonly renderer: Renderer;
  readonly codec: VideoCodec;
  readonly loops: IdleLoops;
  readonly openEncoder: OpenVideoEncoder;
  /** While speaking at most, bits a second. */
  readonly bps: number;
  /** Milliseconds of a clock that never goes back; to notice a renderer that cannot keep up. */
  readonly nowMs: () => number;
}

/** One viewer's picture: the shared idle loop while the tutor is at rest, frames of their own while it speaks. */
export interface FaceStream extends Disposable {
  /**
   * The frame of this tick; call it once every 40 ms, never twice at once. `mouth` null: not speaking; a mouth that was
   * open closes within 160 ms. Throws `FaceUnavailable`; `next(null)` still works after that.
   */
  next(mouth: MouthShape | null): Promise<EncodedFrame>;
  /** The viewer cannot decode: the next frame is a key frame, unless the last one was less than 200 ms ago. */
  wantKeyFrame(): void;
  /** While speaking at most, bits a second. Changes of less than a sixth are not worth the key frame they cost. */
  setBitrate(bps: number): void;
}

/** The speaking face cannot be shown here and now; the voice can go on. */
export class FaceUnavailable extends Error {
  override readonly name = 'FaceUnavailable';
  readonly code: 'failed' | 'too_slow';
  constructor(code: FaceUnavailable['code'], reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.code = code;
  }
}

const frameMs = 1000 / framesPerSecond;
/** A second of frames that each take longer than they last is no hiccup. */
const slowFramesAllowed = 25;
/** A viewer's repeated requests are answered no more often than this, frames. */
const framesBetweenKeys = 5;
/** A mouth interrupted while open closes in this many frames. */
const closingFrames = 4;
/** An encoder holds some MB; a viewer at rest for this long, frames, gives it back. */
const encoderKeptFrames = 5 * framesPerSecond;

export function createFaceStream(options: FaceStreamOptions): FaceStream {
  return new ViewersFace(options);
}

class ViewersFace implements FaceStream {
  readonly #options: FaceStreamOptions;
  #bps: number;
  /** Counts the frames of the idle motion, which goes on while the tutor speaks. */
  #position = 0;
  #status: 'idle' | 'live' = 'idle';
  #encoder: VideoEncoder | null = null;
  #idleFrames = 0;
  #mouth: MouthShape | null = null;
  #closing = 0;
  #keyWanted = false;
  #framesSinceKey = framesBetweenKeys;
  #slowFrames = 0;

  constructor(options: FaceStreamOptions) {
    this.#options = options;
    this.#bps = options.bps;
  }

  async next(mouth: MouthShape | null): Promise<EncodedFrame> {
    const position = this.#position;
    this.#position += 1;
    const shown = this.#settle(mouth);
    const keyDue = this.#keyWanted && this.#framesSinceKey >= framesBetweenKeys;
    const starts = this.#status === 'idle' && (shown !== null || (keyDue && !this.#loop.startsAt(position)));
    if (starts) this.#status = 'live';
    else if (shown === null && this.#loop.startsAt(position)) this.#status = 'idle';
    try {
      const frame =
        this.#status === 'idle'
          ? await this.#rest(position)
          : await this.#speak(position, { mouth: shown ?? restMouth, key: starts || keyDue });
      this.#framesSinceKey = frame.key ? 1 : this.#framesSinceKey + 1;
      if (frame.key) this.#keyWanted = false;
      return frame;
    } catch (error) {
      this.#giveUp();
      throw error instanceof FaceUnavailable ? error : new FaceUnavailable('failed', 'The face cannot be drawn.', { cause: error });
    }
  }

  wantKeyFrame(): void {
    this.#keyWanted = true;
  }

  setBitrate(bps: number): void {
    if (Math.abs(bps - this.#bps) < this.#bps / 6) return;
    this.#bps = bps;
    this.#encoder?.setBitrate(bps);
  }

  [Symbol.dispose](): void {
    this.#encoder?.[Symbol.dispose]();
    this.#encoder = null;
  }

  /** Asked for anew each time: a loop whose encoding failed is encoded again. */
  get #loop(): IdleLoop {
    return this.#options.loops.of(this.#options.renderer, this.#options.codec);
  }

  async #rest(position: number): Promise<EncodedFrame> {
    this.#idleFrames += 1;
    if (this.#idleFrames === encoderKeptFrames) this[Symbol.dispose]();
    return this.#loop.frame(position);
  }

  async #speak(position: number, { mouth, key }: { readonly mouth: MouthShape; readonly key: boolean }): Promise<EncodedFrame> {
    this.#idleFrames = 0;
    const { renderer, codec, openEncoder, nowMs } = this.#options;
    const startedMs = nowMs();
    this.#encoder ??= openEncoder({ codec, width: renderer.width, height: renderer.height, bps: this.#bps, effort: 'live' });
    const frame = await this.#encoder.encode(renderer.render(position, mouth), { key });
    this.#slowFrames = nowMs() - startedMs > frameMs ? this.#slowFrames + 1 : 0;
    if (this.#slowFrames >= slowFramesAllowed) throw new FaceUnavailable('too_slow', 'Drawing the face takes longer than it lasts.');
    return frame;
  }

  /** What the mouth shows: as asked, or on its way to rest; null once it is there. */
  #settle(asked: MouthShape | null): MouthShape | null {
    if (asked !== null) {
      this.#mouth = asked;
      this.#closing = 0;
      return asked;
    }
    if (this.#mouth === null) return null;
    this.#closing += 1;
    if (this.#closing >= closingFrames) {
      this.#mouth = null;
      return null;
    }
    return between(this.#mouth, restMouth, this.#closing / closingFrames);
  }

  /** Back to the loop, at its next key frame: what the viewer decoded last does not lead anywhere else. */
  #giveUp(): void {
    this[Symbol.dispose]();
    this.#status = 'idle';
    this.#mouth = null;
    this.#slowFrames = 0;
    while (!this.#loop.startsAt(this.#position)) this.#position += 1;
  }
}
