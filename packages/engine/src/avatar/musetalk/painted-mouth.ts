import { framesPerSecond, type Renderer, type Speech } from '../../media/ports.ts';
import { FaceUnavailable } from '../face-stream.ts';
import { restMouth } from '../mouth.ts';
import { closingFrames, type Spoken, type ViewersMouth } from '../viewers-mouth.ts';
import type { Dress } from './dress.ts';
import { type MouthMask, pasteMouth } from './mouth-patch.ts';
import type { LiveMuseTalk } from './musetalk-process.ts';
import { audioPrompt, type HiddenStates } from './windows.ts';

export interface PaintedMouthOptions {
  /** Names the viewer to MuseTalk, which serves all viewers in turn. */
  readonly viewer: string;
  readonly muse: LiveMuseTalk;
  /** Of the filmed face; its frames at rest are what is painted on. */
  readonly renderer: Renderer;
  /** For each of the renderer's idle frames. */
  readonly dress: Dress;
}

const frameMs = 1000 / framesPerSecond;
/** A frame is asked for this long before it is shown, frames: some inferences may be slow. */
const framesAhead = 8;
/** Nothing is heard for so long: what was asked for is not wanted any more, frames. Shorter pauses lie between two sentences. */
const pauseFrames = 8;
/** So many frames in a row too late are no hiccup. */
const lateFramesAllowed = framesPerSecond;

interface Painted {
  readonly planes: Uint8Array;
  readonly mask: MouthMask;
  /** The frame that it was made of. */
  readonly idleFrame: number;
}

/** On its way, or lost. */
type Asked = number;

/** One speech, and what has been painted of it, by frames of 40 ms from its beginning. */
class PaintedSpeech {
  readonly speech: Speech;
  readonly frames = new Map<number, Painted | Asked>();
  /** Null: not heard yet, or not to be heard. */
  states: HiddenStates | null = null;

  constructor(speech: Speech, muse: LiveMuseTalk) {
    this.speech = speech;
    void muse.hear(speech).then((states) => {
      this.states = states;
    });
  }

  get length(): number {
    const { samples } = this.speech;
    return Math.ceil(samples.length / (48 * frameMs));
  }
}

/**
 * A mouth that MuseTalk paints into a filmed face, some frames ahead of what is heard. A frame that comes too late is the filmed one: the last
 * painted mouth fades into it, and the voice goes on.
 */
export class PaintedMouth implements ViewersMouth {
  readonly #options: PaintedMouthOptions;
  readonly #picture: Uint8Array;
  /** What is spoken, and what will be, in order. */
  #speeches: PaintedSpeech[] = [];
  #shown: Painted | null = null;
  /** Frames since `#shown` was due. */
  #faded = 0;
  #late = 0;
  #silent = 0;
  #asked = 0;

  constructor(options: PaintedMouthOptions) {
    this.#options = options;
    const { width, height } = options.renderer;
    this.#picture = new Uint8Array((width * height * 3) / 2);
  }

  prepare(speech: Speech): void {
    this.#speeches.push(new PaintedSpeech(speech, this.#options.muse));
  }

  move(idleFrame: number, spoken: Spoken | null): boolean {
    if (spoken === null) return this.#hearNothing();
    this.#silent = 0;
    const current = this.#speechOf(spoken.speech);
    const frame = Math.max(0, Math.floor(spoken.atMs / frameMs));
    this.#askAhead(idleFrame, frame);
    const painted = current.frames.get(frame);
    for (const past of current.frames.keys()) if (past < frame) current.frames.delete(past);
    if (typeof painted === 'object') {
      this.#shown = painted;
      this.#faded = 0;
      this.#late = 0;
      return true;
    }
    this.#late += 1;
    if (this.#late >= lateFramesAllowed) throw new FaceUnavailable('too_slow', 'MuseTalk paints later than is spoken.');
    return this.#fade();
  }

  picture(idleFrame: number): Uint8Array {
    const { renderer } = this.#options;
    const shown = this.#shown;
    if (shown === null) return renderer.render(idleFrame, restMouth);
    // A mouth fits the frame that it was painted for. That may be off by what was skipped meanwhile, which nobody sees.
    const fading = this.#faded > 0;
    this.#picture.set(renderer.render(fading ? idleFrame : shown.idleFrame, restMouth));
    pasteMouth(this.#picture, renderer.width, { ...shown, strength: 1 - this.#faded / closingFrames });
    return this.#picture;
  }

  rest(): void {
    this.#shown = null;
    this.#late = 0;
    this.#forget();
  }

  [Symbol.dispose](): void {
    this.#forget();
  }

  #hearNothing(): boolean {
    this.#silent += 1;
    if (this.#silent === pauseFrames) this.#leave();
    return this.#fade();
  }

  /** True: something of the last painted mouth is still seen. */
  #fade(): boolean {
    this.#faded += 1;
    if (this.#faded >= closingFrames) this.#shown = null;
    return this.#shown !== null;
  }

  /** What was to be spoken before it is not spoken any more. One that was not announced is heard now. */
  #speechOf(speech: Speech): PaintedSpeech {
    const at = this.#speeches.findIndex((known) => known.speech === speech);
    if (at !== -1) this.#speeches.splice(0, at);
    const current = this.#speeches[0];
    if (at !== -1 && current !== undefined) return current;
    const heardNow = new PaintedSpeech(speech, this.#options.muse);
    this.#speeches.unshift(heardNow);
    return heardNow;
  }

  /** The frames of the next third of a second, into the next sentence where this one ends. */
  #askAhead(idleFrame: number, frame: number): void {
    let at = frame;
    let nth = 0;
    for (let ahead = 0; ahead < framesAhead; ahead += 1) {
      const speech = this.#speeches[nth];
      if (speech === undefined) return;
      this.#ask(speech, { frame: at, idleFrame: idleFrame + ahead, inMs: ahead * frameMs });
      at += 1;
      if (at < speech.length) continue;
      at = 0;
      nth += 1;
    }
  }

  #ask(
    { states, frames }: PaintedSpeech,
    { frame, idleFrame, inMs }: { readonly frame: number; readonly idleFrame: number; readonly inMs: number },
  ): void {
    const { dress, muse, viewer } = this.#options;
    const dressed = dress[idleFrame % dress.length];
    if (states === null || frames.has(frame) || dressed === undefined || dressed === null) return;
    const { mask, latents } = dressed;
    this.#asked += 1;
    const asked = this.#asked;
    frames.set(frame, asked);
    const audio = audioPrompt(states, { frame, offsetMs: muse.windowOffsetMs });
    const place = { box: mask.box, part: mask.part };
    void muse.draw({ viewer, frame: asked, inMs, input: { latents, audio }, place }).then((outcome) => {
      if (frames.get(frame) === asked && outcome.status === 'drawn') frames.set(frame, { planes: outcome.planes, mask, idleFrame });
    });
  }

  /** Paused or interrupted: if the sentence goes on, its frames are asked for again. */
  #leave(): void {
    this.#options.muse.leave(this.#options.viewer);
    for (const { frames } of this.#speeches) frames.clear();
  }

  #forget(): void {
    this.#leave();
    this.#speeches = [];
  }
}
