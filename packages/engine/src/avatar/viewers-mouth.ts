import type { MouthShape, Renderer, Speech } from '../media/ports.ts';
import { between, restMouth } from './mouth.ts';

/** What is heard now. */
export interface Spoken {
  /** For mouths that are drawn by shape. */
  readonly mouth: MouthShape;
  /** For mouths that are painted from the sound. */
  readonly speech: Speech;
  /** From the beginning of the speech, ms. */
  readonly atMs: number;
}

/** The mouth that one viewer sees, frame by frame. */
export interface ViewersMouth extends Disposable {
  /** Will be spoken after what is spoken now. */
  prepare(speech: Speech): void;
  /** Once every frame; `spoken` null: nothing is heard. False: the mouth is at rest. Throws `FaceUnavailable`. */
  move(idleFrame: number, spoken: Spoken | null): boolean;
  /** The picture as `Renderer.render` gives it, with the mouth as it was moved last; valid until the next call. */
  picture(idleFrame: number): Uint8Array;
  /** At rest at once. */
  rest(): void;
}

/** A mouth interrupted while open closes in this many frames. */
export const closingFrames = 4;

/** The renderer's own: by shapes. */
export function shapedMouth(renderer: Renderer): ViewersMouth {
  let asked: MouthShape | null = null;
  let closing = 0;
  let shown = restMouth;
  return {
    prepare() {},
    move(_, spoken) {
      if (spoken !== null) {
        asked = spoken.mouth;
        shown = asked;
        closing = 0;
        return true;
      }
      closing += 1;
      if (closing >= closingFrames) asked = null;
      shown = asked === null ? restMouth : between(asked, restMouth, closing / closingFrames);
      return asked !== null;
    },
    picture: (idleFrame) => renderer.render(idleFrame, shown),
    rest() {
      asked = null;
      shown = restMouth;
    },
    [Symbol.dispose]() {},
  };
}
