import type { Picture } from '../source/clip.ts';

export interface FoundFace {
  /** Around the landmarks, px of the picture; may reach beyond it. */
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  /** How sure the detector is, 0 to 1. */
  readonly score: number;
  /** 68 points of iBUG 300-W, x and y in turn, px of the picture. */
  readonly landmarks: Float32Array;
}

export interface FaceFinder extends AsyncDisposable {
  /**
   * All faces, the largest first. With `near`, the faces of the frame before, only around those: two to three times as fast. The
   * answer depends on nothing but the arguments.
   */
  find(picture: Picture, near?: readonly FoundFace[]): Promise<readonly FoundFace[]>;
  /** 128 numbers, 1.4 or so in length: those of one person are nearer to each other than 0.6, as a rule. */
  embed(picture: Picture, face: FoundFace): Promise<Float32Array>;
}

/** Faces cannot be looked for here. */
export class FaceFinderUnavailable extends Error {
  override readonly name = 'FaceFinderUnavailable';
  readonly code: 'not_installed' | 'no_webassembly';
  constructor(code: FaceFinderUnavailable['code'], reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.code = code;
  }
}
