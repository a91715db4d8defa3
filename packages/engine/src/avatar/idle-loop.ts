import { type EncodedFrame, framesPerSecond, type Renderer, type VideoCodec, type VideoEncoder } from '../media/ports.ts';
import { restMouth } from './mouth.ts';

/** Opens an encoder for pictures of this size. */
export type OpenVideoEncoder = (format: {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  /** At most, bits a second. */
  readonly bps: number;
  /** `live`: the least CPU per frame. `once`: the fewest bytes. */
  readonly effort: 'live' | 'once';
}) => VideoEncoder;

/** Frames from one key frame of a loop to the next; a viewer joins at one. */
const framesPerKey = framesPerSecond;
/** Never needed in full; a bound that keeps quality even from one key frame to the next. */
const idleBps = 1_500_000;

/** A tutor at rest, encoded once: every viewer is sent the same bytes. */
export interface IdleLoop {
  /** Frame `position` (counts on for ever); a key frame where `startsAt` says so. Waits while it is being encoded. */
  frame(position: number): Promise<EncodedFrame>;
  /** A viewer who knows nothing, or something else, can go on here. */
  startsAt(position: number): boolean;
}

/** The loops of this process: one per renderer and codec, encoded when first asked for, in the order of playing; gone with their renderer. */
export class IdleLoops {
  readonly #open: OpenVideoEncoder;
  readonly #loops = new WeakMap<Renderer, Map<VideoCodec, IdleLoop>>();

  constructor(open: OpenVideoEncoder) {
    this.#open = open;
  }

  /** Starts encoding if nobody asked before; the first frame is there long before the last. */
  of(renderer: Renderer, codec: VideoCodec): IdleLoop {
    const loops = this.#loopsOf(renderer);
    const known = loops.get(codec);
    if (known !== undefined) return known;
    const { width, height } = renderer;
    const encoder = this.#open({ codec, width, height, bps: idleBps, effort: 'once' });
    const loop = encodeLoop(renderer, encoder, (failed) => {
      if (loops.get(codec) === failed) loops.delete(codec);
    });
    loops.set(codec, loop);
    return loop;
  }

  /** A loop that is encoded already, with a key frame wherever a viewer may join. Throws `RangeError` unless it fits the renderer. */
  adopt(renderer: Renderer, codec: VideoCodec, frames: readonly EncodedFrame[]): void {
    if (frames.length !== renderer.idleFrames) throw new RangeError(`a loop of ${renderer.idleFrames} frames has ${frames.length} packets`);
    if (frames[0]?.key !== true) throw new RangeError('a loop begins with a key frame');
    const at = (position: number) => frames[position % frames.length];
    this.#loopsOf(renderer).set(codec, {
      startsAt: (position) => at(position)?.key === true,
      async frame(position) {
        const frame = at(position);
        if (frame === undefined) throw new RangeError('a loop has at least one frame');
        return frame;
      },
    });
  }

  #loopsOf(renderer: Renderer): Map<VideoCodec, IdleLoop> {
    const loops = this.#loops.get(renderer) ?? new Map<VideoCodec, IdleLoop>();
    this.#loops.set(renderer, loops);
    return loops;
  }
}

function encodeLoop(renderer: Renderer, encoder: VideoEncoder, onFailure: (loop: IdleLoop) => void): IdleLoop {
  const startsAt = (position: number) => (position % renderer.idleFrames) % framesPerKey === 0;
  const frames: Promise<EncodedFrame>[] = [];
  let last: Promise<unknown> = Promise.resolve();
  for (let position = 0; position < renderer.idleFrames; position += 1) {
    const frame = last.then(() => encoder.encode(renderer.render(position, restMouth), { key: startsAt(position) }));
    frames.push(frame);
    last = frame;
  }
  const loop: IdleLoop = {
    startsAt,
    async frame(position) {
      const frame = await frames[position % frames.length];
      if (frame === undefined) throw new RangeError('a loop has at least one frame');
      return frame;
    },
  };
  // A failure reaches whoever asks for a frame; the next to ask for the loop has it encoded anew.
  for (const frame of frames) frame.catch(() => onFailure(loop));
  last.catch(() => {}).finally(() => encoder[Symbol.dispose]());
  return loop;
}
