import { type EncodedFrame, framesPerSecond, type Renderer, type Speech, type VideoCodec, type VideoEncoder } from '../media/ports.ts';
import type { IdleLoop, IdleLoops, OpenVideoEncoder } from './idle-loop.ts';
import type { Spoken, ViewersMouth } from './viewers-mouth.ts';

export interface FaceStreamOptions {
  /** Shared by all viewers of a character. */
  readonly renderer: Renderer;
  /** This viewer's, of that renderer; disposed with the stream. */
  readonly mouth: ViewersMouth;
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
  /** Will be spoken after what is spoken now. */
  prepare(speech: Speech): void;
  /**
   * The frame of this tick; call it once every 40 ms, never twice at once. Null: not speaking; a mouth that was
   * open closes within 160 ms. Throws `FaceUnavailable`; `next(null)` still works after that.
   */
  next(spoken: Spoken | null): Promise<EncodedFrame>;
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
  #keyWanted = false;
  #framesSinceKey = framesBetweenKeys;
  #slowFrames = 0;

  constructor(options: FaceStreamOptions) {
    this.#options = options;
    this.#bps = options.bps;
  }

  prepare(speech: Speech): void {
    this.#options.mouth.prepare(speech);
  }

  async next(spoken: Spoken | null): Promise<EncodedFrame> {
    const position = this.#position;
    this.#position += 1;
    try {
      const moves = this.#options.mouth.move(position, spoken);
      const keyDue = this.#keyWanted && this.#framesSinceKey >= framesBetweenKeys;
      const starts = this.#status === 'idle' && (moves || (keyDue && !this.#loop.startsAt(position)));
      if (starts) this.#status = 'live';
      else if (!moves && this.#loop.startsAt(position)) this.#status = 'idle';
      const frame = this.#status === 'idle' ? await this.#rest(position) : await this.#speak(position, starts || keyDue);
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
    this.#closeEncoder();
    this.#options.mouth[Symbol.dispose]();
  }

  #closeEncoder(): void {
    this.#encoder?.[Symbol.dispose]();
    this.#encoder = null;
  }

  /** Asked for anew each time: a loop whose encoding failed is encoded again. */
  get #loop(): IdleLoop {
    return this.#options.loops.of(this.#options.renderer, this.#options.codec);
  }

  async #rest(position: number): Promise<EncodedFrame> {
    this.#idleFrames += 1;
    if (this.#idleFrames === encoderKeptFrames) this.#closeEncoder();
    return this.#loop.frame(position);
  }

  async #speak(position: number, key: boolean): Promise<EncodedFrame> {
    this.#idleFrames = 0;
    const { renderer, mouth, codec, openEncoder, nowMs } = this.#options;
    const startedMs = nowMs();
    this.#encoder ??= openEncoder({ codec, width: renderer.width, height: renderer.height, bps: this.#bps, effort: 'live' });
    const frame = await this.#encoder.encode(mouth.picture(position), { key });
    this.#slowFrames = nowMs() - startedMs > frameMs ? this.#slowFrames + 1 : 0;
    if (this.#slowFrames >= slowFramesAllowed) throw new FaceUnavailable('too_slow', 'Drawing the face takes longer than it lasts.');
    return frame;
  }

  /** Back to the loop, at its next key frame: what the viewer decoded last does not lead anywhere else. */
  #giveUp(): void {
    this.#closeEncoder();
    this.#options.mouth.rest();
    this.#status = 'idle';
    this.#slowFrames = 0;
    while (!this.#loop.startsAt(this.#position)) this.#position += 1;
  }
}
