/** Points of one face, 68 of the iBUG 300-W mark-up (https://ibug.doc.ic.ac.uk/resources/300-W/): x and y in turn, px. */
export const landmarkCount = 68;

/** A person filmed at rest, lips closed: a loop, and where the face is in each of its frames. */
export interface FilmedFace {
  /** Width and height of every frame, px, even. */
  readonly size: number;
  /** The idle loop as I420, BT.601 video range: `size * size * 3 / 2` bytes each. */
  readonly frames: readonly Uint8Array[];
  /** For each frame `2 * landmarkCount` numbers. */
  readonly landmarks: readonly Float32Array[];
}

/** A face that cannot be made to speak. The message says what to do about it. */
export class FilmedFaceRefused extends Error {
  override readonly name = 'FilmedFaceRefused';
  readonly code: 'frames_malformed' | 'landmarks_malformed' | 'landmarks_degenerate';
  constructor(code: FilmedFaceRefused['code'], reason: string) {
    super(reason);
    this.code = code;
  }
}

/** Throws `FilmedFaceRefused` where sizes or numbers cannot be right. */
export function checkFilmedFace({ size, frames, landmarks }: FilmedFace): void {
  if (!Number.isInteger(size) || size < 2 || size % 2 !== 0) {
    throw new FilmedFaceRefused('frames_malformed', `A frame of ${size} px has no I420 form; scale the clip to an even size.`);
  }
  if (frames.length === 0 || frames.some((frame) => frame.length !== (size * size * 3) / 2)) {
    throw new FilmedFaceRefused('frames_malformed', 'A frame is missing or of another size; build the avatar again.');
  }
  if (landmarks.length !== frames.length || landmarks.some((points) => points.length !== landmarkCount * 2)) {
    throw new FilmedFaceRefused('landmarks_malformed', 'A frame lacks its 68 landmarks; build the avatar again.');
  }
  if (landmarks.some((points) => !points.every(Number.isFinite))) {
    throw new FilmedFaceRefused('landmarks_malformed', 'A landmark is no number; build the avatar again.');
  }
}
